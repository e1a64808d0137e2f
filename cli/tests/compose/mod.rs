//! Compose files: what is taken of them agrees with Compose itself, what is not is told, what is wrong is refused.

mod judged;
mod taken;
mod told;

use std::path::Path;

use cutover::compose::{Service, read};

/// A service `web` of a file in `/srv/shop`, with these lines, and variables by name.
fn web(lines: &str, variables: &[(&str, &str)]) -> Result<Service, String> {
    let lookup =
        |name: &str| variables.iter().find(|(there, _)| *there == name).map(|(_, value)| (*value).to_owned());
    let text = format!("services:\n  web:\n    image: web\n{lines}\n");
    read(Path::new("/srv/shop/compose.yaml"), &text, "web", &lookup).map_err(|invalid| invalid.render(false))
}
