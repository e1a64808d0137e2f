//! The addresses of slots, within an app and between the apps of a file.

use std::collections::{BTreeMap, HashMap};

use cutover_proxyconf::{Address, AppName};

use super::{Check, Checked};
use crate::config::app::{App, Slots};
use crate::config::value::Parsed;

impl Check<'_> {
    pub(super) fn slots(&self, apps: &BTreeMap<Parsed<AppName>, App>) -> Checked {
        let mut taken = HashMap::new();
        for (name, app) in apps {
            if let Some(slots) = &app.slots {
                self.slots_of(name.as_str(), app, slots, &mut taken)?;
            }
        }
        Ok(())
    }

    fn slots_of<'f>(
        &self,
        name: &'f str,
        app: &App,
        slots: &'f Slots,
        taken: &mut HashMap<&'f Address, &'f str>,
    ) -> Checked {
        let replicas = usize::from(*app.replicas);
        for (slot, addresses) in [("blue", slots.blue.as_slice()), ("green", slots.green.as_slice())] {
            if addresses.len() != replicas {
                let problem = format!("slot {slot} has addresses: {}; replicas: {replicas}", addresses.len());
                return Err(self.at(
                    &["apps", name, "slots", slot],
                    problem,
                    "give one address for each replica",
                ));
            }
            for address in addresses {
                if let Some(other) = taken.insert(address.get(), name) {
                    let problem = format!("the address {} is taken by app `{other}`", address.get());
                    let mend = "every replica of every slot needs an address of its own";
                    return Err(self.source.invalid(address.span(), problem, Some(mend)));
                }
                self.named(app, address)?;
            }
        }
        Ok(())
    }

    /// A slot with a name is reached in the container itself, where only the app's own port is open.
    fn named(&self, app: &App, address: &Parsed<Address>) -> Checked {
        let Address::Name { host, port } = address.get() else { return Ok(()) };
        if *port != app.port.get() {
            let problem = format!("a named slot is reached at the app's port {}, not {port}", app.port);
            let mend = format!("write \"{host}:{}\"", app.port);
            return Err(self.source.invalid(address.span(), problem, Some(&mend)));
        }
        if app.network.is_none() {
            let problem = format!("there is no network on which `{host}` would be known");
            let mend = "add network = \"NAME\", the one that nginx is on too";
            return Err(self.source.invalid(address.span(), problem, Some(mend)));
        }
        Ok(())
    }
}
