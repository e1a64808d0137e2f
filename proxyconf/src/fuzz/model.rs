//! Apps made of hostile values, as far as they are accepted, and the plain apps that stand for them.

use std::path::PathBuf;
use std::time::Duration;

use crate::{
    Address, App, Balance, BySlot, Control, Error, Exposure, Inherited, Listen, NginxVersion, ProxySettings,
    ServerName, Site, Stickiness, Tls, Upstream, check,
};

/// Newer than what any directive needs.
const NEWEST: NginxVersion = NginxVersion::new(1, 31, 3);

/// Texts for the places of an app's values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub(crate) name: String,
    pub(crate) listen: Vec<String>,
    pub(crate) server_names: Vec<String>,
    pub(crate) state_dir: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) resolver: Option<String>,
    pub(crate) preview_host: Option<String>,
    pub(crate) blue: String,
    pub(crate) green: String,
    /// Switches and times.
    pub(crate) numbers: Vec<u8>,
    /// What the headers say that are repeated.
    pub(crate) headers: Vec<String>,
}

impl Values {
    /// The app of those values that are accepted. In the place of a value that is refused stands a usual one.
    pub(crate) fn accepted(&self) -> App {
        let mut app = self.app();
        loop {
            let refused = match check(&app, NEWEST) {
                Ok(()) => return app,
                Err(Error::Forbidden { field, .. } | Error::Invalid { field, .. }) => field,
                Err(error) => panic!("{error}"),
            };
            match (refused, &mut app.exposure) {
                ("state_dir", _) => app.state_dir = "/state".into(),
                ("resolver", _) => app.upstream.resolver = None,
                ("preview_host", _) => app.preview_host = None,
                ("inherited", _) => app.inherited = Inherited::default(),
                ("slots" | "address", _) => app.slots = usual_slots(),
                ("keepalive", _) => app.upstream.keepalive = 1,
                ("keepalive_timeout" | "fail_timeout", _) => {
                    app.upstream = Upstream { resolver: app.upstream.resolver, ..Upstream::default() };
                }
                (field, _) if field.starts_with("timeouts") => app.proxy = ProxySettings::default(),
                ("tls.certificate" | "tls.key", Exposure::Site(site)) => site.tls = None,
                ("listen", Exposure::Site(site)) => {
                    (site.listen, site.tls) = (vec![usual_listen()], None);
                }
                ("client_max_body_size", Exposure::Site(site)) => site.client_max_body_size = None,
                (field, _) => panic!("{field} is refused and was not given"),
            }
        }
    }

    fn app(&self) -> App {
        let number = |at: usize| self.numbers.get(at).copied().unwrap_or_default();
        let time = |at: usize| Duration::from_millis(1 << (number(at) % 40));
        let mut app = App {
            name: self.name.parse().or_else(|_| "web".parse()).unwrap_or_else(|error| panic!("{error}")),
            slots: usual_slots(),
            upstream: Upstream { resolver: self.resolver.clone(), ..Upstream::default() },
            exposure: Exposure::Snippets,
            proxy: ProxySettings::default(),
            control: Control::new(([127, 0, 0, 1], 9180).into()),
            state_dir: self.state_dir.clone().map_or_else(|| "/state".into(), PathBuf::from),
            preview_host: self.preview_host.clone(),
            tells: number(6) % 2 == 1,
            canary: [None, Some(Stickiness::Address), Some(Stickiness::Cookie)]
                [usize::from(number(6) / 2 % 3)],
            inherited: Inherited {
                headers: self.headers.iter().map(|text| vec!["X-Own".to_owned(), text.clone()]).collect(),
                ..Inherited::default()
            },
        };
        // As they come from a file, or else as they come from code: the fields are public.
        let address = |text: &str| {
            text.parse::<Address>().or_else(|_| {
                let host = text.split_once(':').map_or(text, |(host, _)| host).to_owned();
                Ok::<_, Error>(Address::Name { host, port: 80 })
            })
        };
        if let (Ok(blue), Ok(green)) = (address(&self.blue), address(&self.green)) {
            app.slots = BySlot { blue: vec![blue], green: vec![green] };
        }
        app.upstream.balance =
            [Balance::RoundRobin, Balance::LeastConn, Balance::IpHash][usize::from(number(0) % 3)];
        if number(1) > 0 {
            app.upstream.keepalive = u32::from(number(1) - 1) << (number(2) % 12);
            app.upstream.keepalive_timeout = time(3);
            app.proxy.timeouts.read = time(4);
            app.proxy.buffering = number(1) % 2 == 0;
        }
        if number(5) % 4 < 3 {
            app.exposure = Exposure::Site(self.site(number(5)));
        }
        app
    }

    fn site(&self, number: u8) -> Site {
        let mut listen: Vec<Listen> = self.listen.iter().filter_map(|text| text.parse().ok()).collect();
        if listen.is_empty() {
            listen = vec![usual_listen()];
        }
        let server_names: Vec<ServerName> =
            self.server_names.iter().filter_map(|text| text.parse().ok()).collect();
        let tls = self.certificate.clone().map(PathBuf::from);
        Site {
            listen,
            server_names,
            tls: tls.map(|certificate| Tls { key: certificate.clone(), certificate }),
            http2: number % 8 < 4,
            client_max_body_size: (number > 100).then_some(u64::from(number) << (number % 64)),
            extra: Vec::new(),
        }
    }
}

fn usual_slots() -> BySlot<Vec<Address>> {
    let at = |port| vec![Address::from(std::net::SocketAddr::from(([127, 0, 0, 1], port)))];
    BySlot { blue: at(8112), green: at(8113) }
}

fn usual_listen() -> Listen {
    std::net::SocketAddr::from(([127, 0, 0, 1], 8080)).into()
}

/// The app with a plain word for each of its texts, and which word stands for which text.
pub(crate) fn replaced(app: &App) -> (App, Vec<(String, String)>) {
    let mut words = Vec::new();
    // What stays, such as the name, holds no word.
    let whole = format!("{app:?}");
    let mark = (0_u32..).map(|number| format!("q{number}v")).find(|mark| !whole.contains(mark));
    let mark = mark.unwrap_or_default();
    let mut plain = |text: &str, form: &dyn Fn(&str) -> String| {
        let word = form(&format!("{mark}{}q", words.len()));
        words.push((word.clone(), text.to_owned()));
        word
    };
    let mut model = app.clone();
    for address in model.slots.blue.iter_mut().chain(&mut model.slots.green) {
        if let Address::Name { host, .. } = address {
            *host = plain(host, &str::to_owned);
        }
    }
    let path = |word: &str| format!("/{word}");
    // What is joined to it brings a `/` of its own, unless it ends in one.
    let state_dir = app.state_dir.to_string_lossy();
    model.state_dir = plain(state_dir.strip_suffix('/').unwrap_or(&state_dir), &path).into();
    if let Some(host) = &mut model.preview_host {
        *host = plain(host, &str::to_owned);
    }
    if let Some(resolver) = &mut model.upstream.resolver {
        let words: Vec<String> = resolver.split_ascii_whitespace().map(str::to_owned).collect();
        // The form of each word stays: an address, or a parameter with a value.
        *resolver = words.join(" ");
    }
    if let Exposure::Site(site) = &mut model.exposure {
        for name in &mut site.server_names {
            let form: &dyn Fn(&str) -> String = match name.as_str() {
                "_" => continue,
                text if text.starts_with("*.") => &|word| format!("*.{word}"),
                text if text.starts_with('.') => &|word| format!(".{word}"),
                text if text.ends_with('*') => &|word| format!("{word}.*"),
                _ => &|word| word.to_owned(),
            };
            let word = plain(name.as_str(), form);
            *name = word.parse().unwrap_or_else(|error| panic!("{error}"));
        }
        for listen in &mut site.listen {
            if listen.address().starts_with("unix:") {
                let word = plain(listen.address(), &|word| format!("unix:/{word}"));
                let text = listen.to_string().replacen(listen.address(), &word, 1);
                *listen = text.parse().unwrap_or_else(|error| panic!("{error}"));
            }
        }
        if let Some(tls) = &mut site.tls {
            tls.certificate = plain(&tls.certificate.to_string_lossy(), &path).into();
            tls.key = plain(&tls.key.to_string_lossy(), &path).into();
        }
    }
    (model, words)
}
