//! Prints the nginx configuration of a small app: `cargo run -p cutover-proxyconf --example render [NGINX_VERSION]`.

use std::error::Error;
use std::io::Write;

use cutover_proxyconf::{App, BySlot, Control, Exposure, Inherited, ProxySettings, Site, Upstream, render};

fn main() -> Result<(), Box<dyn Error>> {
    let version = std::env::args().nth(1).unwrap_or_else(|| "1.22.1".to_owned()).parse()?;
    let app = App {
        name: "web".parse()?,
        slots: BySlot { blue: vec!["127.0.0.1:8112".parse()?], green: vec!["127.0.0.1:8113".parse()?] },
        upstream: Upstream::default(),
        exposure: Exposure::Site(Site {
            listen: vec!["80".parse()?],
            server_names: vec!["example.com".parse()?],
            ..Site::default()
        }),
        proxy: ProxySettings::default(),
        control: Control::new(([127, 0, 0, 1], 9180).into()),
        state_dir: "/var/lib/cutover".into(),
        preview_host: None,
        tells: false,
        canary: None,
        inherited: Inherited::default(),
    };
    for file in render(&app, version)?.files {
        writeln!(std::io::stdout(), "# {}\n{}", file.name, file.text)?;
    }
    Ok(())
}
