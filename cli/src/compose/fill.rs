//! Puts what a service says where an app's table says nothing.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::service::{Service, Taken};

impl Service {
    /// Leaves to the table what goes together there: its own network has no names of the service's networks, and its own
    /// health check no check of the container's.
    pub(crate) fn give_way(&mut self, table: &DeTable<'_>) {
        if writes(table, "network") {
            self.networks.clear();
            self.keys.retain(|taken| taken.key != "aliases");
        }
        if writes(table, "health") {
            self.container.healthcheck = None;
        }
        self.keys.retain(|taken| taken.key == "labels" || !writes(table, taken.key));
    }
}

/// Fills the keys that the table leaves out. Places of the compose file start at `offset` of the configuration's.
pub(crate) fn fill<'i>(table: &mut DeTable<'i>, service: &'i Service, offset: usize) {
    for Taken { key, written, span } in &service.keys {
        let span = offset + span.start..offset + span.end;
        // Written by `take`, so that it is TOML; and all but the key's value is of no use.
        let parsed = DeTable::parse(written).map(Spanned::into_inner).unwrap_or_default();
        let Some((_, value)) = parsed.into_iter().next() else { continue };
        let value = placed(value.into_inner(), &span);
        match table.iter_mut().find(|(name, _)| name.get_ref() == key) {
            Some((_, there)) => merge(there.get_mut(), value.into_inner()),
            None => drop(table.insert(Spanned::new(span, Cow::Borrowed(*key)), value)),
        }
    }
}

fn writes(table: &DeTable<'_>, key: &str) -> bool {
    table.keys().any(|name| name.get_ref() == key)
}

/// Labels are merged by name: those of the table win.
fn merge<'i>(there: &mut DeValue<'i>, more: DeValue<'i>) {
    let (DeValue::Table(there), DeValue::Table(more)) = (there, more) else { return };
    for (name, value) in more {
        if !writes(there, name.get_ref()) {
            there.insert(name, value);
        }
    }
}

/// The value with this place, and all that is in it.
fn placed<'i>(value: DeValue<'i>, span: &Range<usize>) -> Spanned<DeValue<'i>> {
    let each = |item: Spanned<DeValue<'i>>| placed(item.into_inner(), span);
    let value = match value {
        DeValue::Array(items) => DeValue::Array(items.into_iter().map(each).collect()),
        DeValue::Table(table) => {
            let entries = table.into_iter();
            let named = |name: Spanned<Cow<'i, str>>| Spanned::new(span.clone(), name.into_inner());
            DeValue::Table(entries.map(|(name, value)| (named(name), each(value))).collect())
        }
        value => value,
    };
    Spanned::new(span.clone(), value)
}
