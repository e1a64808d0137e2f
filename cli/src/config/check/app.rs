//! The table of an app.

use std::path::Path;

use super::{Check, Checked};
use crate::config::app::{App, HealthCheck, Restart, Site};
use crate::config::secret::Value;

/// Docker takes no less memory for a container than this.
const LEAST_MEMORY: u64 = 6 << 20;

/// With fewer requests of which one failed, nothing can be said of a share of some percent.
const LEAST_REQUESTS: u32 = 20;

/// The signals of Linux by name; see signal(7).
const SIGNALS: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "KILL", "PIPE", "PROF", "PWR",
    "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2",
    "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
];

impl Check<'_> {
    pub(super) fn app(&self, name: &str, app: &App) -> Checked {
        let at = |key| ["apps", name, key];
        if !(1..=64).contains(&*app.replicas) {
            let problem = format!("{} replicas cannot be had", *app.replicas);
            return Err(self.at(&at("replicas"), problem, "write a number from 1 to 64"));
        }
        if *app.retain < 2 {
            let problem = format!("with {} kept there is no image to go back to", *app.retain);
            return Err(self.at(&at("retain"), problem, "keep at least 2"));
        }
        if *app.restart == Restart::Always {
            let problem = "with `always` a release that was stopped comes back with the engine";
            return Err(self.at(&at("restart"), problem, "write \"unless-stopped\""));
        }
        self.joined(name, app)?;
        self.process(name, app)?;
        self.limits(name, app)?;
        self.health(name, app)?;
        self.probe(name, app)?;
        self.guard(name, app)?;
        self.environment(name, app)?;
        self.build(name, app)?;
        if let Some(label) = app.labels.keys().find(|label| label.starts_with("cutover.")) {
            let problem = format!("the label `{}` is cutover's own", label.value);
            let mend = "call it otherwise: labels that start with `cutover.` are taken";
            return Err(self.key(&["apps", name, "labels", label], problem, mend));
        }
        app.site.as_ref().map_or(Ok(()), |site| self.site(name, site))
    }

    fn joined(&self, name: &str, app: &App) -> Checked {
        if let Some(network) = &app.network {
            self.docker_name(&["apps", name, "network"], network, "a network")?;
        } else if !app.aliases.is_empty() {
            let problem = "there is no network on which the aliases would be known";
            return Err(self.at(
                &["apps", name, "aliases"],
                problem,
                "add network = \"NAME\", or leave them out",
            ));
        }
        let path = ["apps", name, "aliases"];
        app.aliases.iter().try_for_each(|alias| self.docker_name(&path, alias, "a container on a network"))
    }

    /// What the container's process is started with.
    fn process(&self, name: &str, app: &App) -> Checked {
        for (key, words) in [("command", &app.command), ("entrypoint", &app.entrypoint)] {
            if words.as_ref().is_some_and(Vec::is_empty) {
                let mend = "name a program and its arguments, or leave it out for the image's own";
                return Err(self.at(&["apps", name, key], format!("the {key} is empty"), mend));
            }
        }
        if let Some(folder) = &app.working_dir {
            self.absolute(&["apps", name, "working_dir"], Path::new(folder))?;
        }
        let Some(signal) = &app.stop_signal else { return Ok(()) };
        let number = signal.parse().is_ok_and(|number: u8| (1..=64).contains(&number));
        if number || SIGNALS.contains(&signal.strip_prefix("SIG").unwrap_or(signal)) {
            return Ok(());
        }
        let problem = format!("`{signal}` is no signal");
        Err(self.at(
            &["apps", name, "stop_signal"],
            problem,
            "write a name such as \"SIGTERM\", or a number in quotes",
        ))
    }

    fn limits(&self, name: &str, app: &App) -> Checked {
        if let Some(cpus) = app.cpus.as_ref().filter(|cpus| !(cpus.is_finite() && ***cpus > 0.0)) {
            let problem = format!("{} cores cannot be had", cpus.value);
            return Err(self.at(&["apps", name, "cpus"], problem, "write a number above 0, such as 1.5"));
        }
        if app.pids.as_ref().is_some_and(|pids| pids.value == 0) {
            return Err(self.at(&["apps", name, "pids"], "no process could start", "write a number above 0"));
        }
        if let Some(memory) = app.memory.as_ref().filter(|memory| memory.0 < LEAST_MEMORY) {
            let problem = format!("{} bytes of memory are too few", memory.0);
            return Err(self.at(&["apps", name, "memory"], problem, "Docker takes no less than \"6m\""));
        }
        Ok(())
    }

    fn health(&self, name: &str, app: &App) -> Checked {
        let health = &app.health;
        let at = |key| ["apps", name, "health", key];
        let of_http = [
            ("path", health.path.is_some()),
            ("host", health.host.is_some()),
            ("expect", health.expect.is_some()),
        ];
        let other = health.check.unwrap_or_default() != HealthCheck::Http;
        if let Some((key, _)) = of_http.into_iter().find(|(_, written)| other && *written) {
            let problem = format!("{key} belongs to an HTTP check");
            return Err(self.at(&at(key), problem, "leave it out, or write check = \"http\""));
        }
        let visible = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        if let Some(path) = health.path.as_deref().filter(|path| !path.starts_with('/') || !visible(path)) {
            let problem = format!("`{}` is no path of a health check", path.escape_debug());
            return Err(self.at(&at("path"), problem, "start it with / and write %20 for a space"));
        }
        if let Some(host) = health.host.as_deref().filter(|host| host.is_empty() || !visible(host)) {
            let problem = format!("`{}` is no Host header", host.escape_debug());
            return Err(self.at(&at("host"), problem, "write a name such as \"example.com\""));
        }
        for (key, period) in [("timeout", &health.timeout), ("attempt", &health.attempt)] {
            if period.as_ref().is_some_and(|period| period.0.is_zero()) {
                let problem = "no container is well in no time";
                return Err(self.at(&at(key), problem, "write a time above 0, such as \"30s\""));
            }
        }
        Ok(())
    }

    fn probe(&self, name: &str, app: &App) -> Checked {
        let at = |key| ["apps", name, "probe", key];
        let visible = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        if let Some(path) = app.probe.path.as_ref().filter(|path| !path.starts_with('/') || !visible(path)) {
            let problem = format!("`{}` is no path to ask for", path.escape_debug());
            return Err(self.at(&at("path"), problem, "start it with / and write %20 for a space"));
        }
        if let Some(host) = app.probe.host.as_ref().filter(|host| host.is_empty() || !visible(host)) {
            let problem = format!("`{}` is no Host header", host.escape_debug());
            return Err(self.at(&at("host"), problem, "write a name such as \"example.com\""));
        }
        Ok(())
    }

    fn guard(&self, name: &str, app: &App) -> Checked {
        let at = |table, key| ["apps", name, table, key];
        if let Some(guard) = &app.guard {
            if let Some(rate) = guard.max_error_rate.as_ref().filter(|rate| !(0.0..1.0).contains(&rate.value))
            {
                let problem = format!("{} is no share of requests", rate.value);
                return Err(self.at(&at("guard", "max_error_rate"), problem, "write 0.01 for 1 %"));
            }
            let ratios = [("max_p50_ratio", &guard.max_p50_ratio), ("max_p99_ratio", &guard.max_p99_ratio)];
            let slower = |ratio: f64| ratio.is_finite() && ratio >= 1.0;
            let mut said = ratios.into_iter().filter_map(|(key, ratio)| Some((key, ratio.as_ref()?.value)));
            if let Some((key, ratio)) = said.find(|(_, ratio)| !slower(*ratio)) {
                let problem = format!("{ratio} is no number of 1 or more");
                return Err(self.at(&at("guard", key), problem, "write 2 for twice as long"));
            }
            if let Some(least) = guard.min_requests.as_ref().filter(|least| least.value < LEAST_REQUESTS) {
                let problem = format!("{} requests tell nothing", least.value);
                return Err(self.at(&at("guard", "min_requests"), problem, "write 20 or more"));
            }
        }
        let stage = app.canary.as_ref().and_then(|canary| canary.stage.as_ref());
        if stage.is_some_and(|stage| stage.0.is_zero()) {
            let problem = "nothing is seen in no time";
            return Err(self.at(&at("canary", "stage"), problem, "write a time above 0, such as \"30s\""));
        }
        Ok(())
    }

    fn environment(&self, name: &str, app: &App) -> Checked {
        for (variable, value) in &app.env {
            let path = ["apps", name, "env", variable.as_str()];
            if variable.is_empty() || variable.contains(['=', '\0']) {
                let problem = format!("`{}` is no name of a variable", variable.escape_debug());
                return Err(self.key(&path, problem, "write a name without `=`"));
            }
            if matches!(&value.value, Value::Plain(text) if text.contains('\0')) {
                let problem = format!("the value of {variable} holds a zero byte");
                return Err(self.at(&path, problem, "no process can be given one: leave it out"));
            }
        }
        Ok(())
    }

    fn site(&self, name: &str, site: &Site) -> Checked {
        if site.listen.as_slice().is_empty() {
            let path = ["apps", name, "site", "listen"];
            return Err(self.at(&path, "the site listens nowhere", "name a port, such as \"80\""));
        }
        let Some(tls) = &site.tls else { return Ok(()) };
        for (key, path) in [("certificate", &tls.certificate), ("key", &tls.key)] {
            self.absolute(&["apps", name, "site", "tls", key], path)?;
        }
        Ok(())
    }
}
