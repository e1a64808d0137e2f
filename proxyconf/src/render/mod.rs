//! The model, turned to text.

mod block;
mod check;
mod control;
mod directive;
mod proxy;
mod share;
mod site;
mod tell;
mod text;
mod upstream;

use self::text::Text;
use crate::{App, AppName, Error, Exposure, Generation, NginxVersion, Slot};

/// What was rendered of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Which rendering this is.
    pub generation: Generation,
    /// Its files.
    pub files: Vec<File>,
}

impl Rendered {
    /// The text of the file of this name, if there is to be one.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.files.iter().find(|file| file.name == name).map(|file| file.text.clone())
    }
}

/// A file of nginx's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, relative to the directory of the configuration.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Whether an app can be rendered for a version of nginx, told without rendering it.
///
/// # Errors
/// Those of [`render`].
pub fn check(app: &App, version: NginxVersion) -> Result<(), Error> {
    check::app(app, version)
}

/// Renders an app for a version of nginx. Pure: the same app and version give the same text.
///
/// # Errors
/// The first value that nginx would not take, or that could break out of its directive; names as addresses on an nginx
/// before 1.27.3.
pub fn render(app: &App, version: NginxVersion) -> Result<Rendered, Error> {
    check(app, version)?;
    let generation = Generation::of(&files(app, version, &Generation::blank()));
    let files = files(app, version, &generation);
    Ok(Rendered { generation, files })
}

/// The names of all files that an app can have, relative to the directory of the configuration.
pub(crate) fn file_names(app: &AppName) -> [String; 3] {
    [
        format!("cutover-{app}.conf"),
        format!("cutover/{app}.server.inc"),
        format!("cutover/{app}.location.inc"),
    ]
}

pub(crate) fn files(app: &App, version: NginxVersion, generation: &Generation) -> Vec<File> {
    let [conf, server, location] = file_names(&app.name);
    let file = |name: String, write: &dyn Fn(&mut Text)| {
        let mut text = Text::default();
        text.line(format_args!("# Written by cutover for the app {}; changes are lost.", app.name));
        text.line(format_args!("# Generation {generation}"));
        text.gap();
        write(&mut text);
        File { name, text: text.finish() }
    };
    let main = file(conf, &|text| {
        for slot in Slot::ALL {
            upstream::group(text, app, slot);
            text.gap();
        }
        if app.tells {
            tell::log_format(text, app);
            text.gap();
        }
        if app.canary.is_some() {
            share::buckets(text, app);
            text.gap();
        }
        control::server(text, app, generation);
        if let Exposure::Site(it) = &app.exposure {
            text.gap();
            site::server(text, app, it, version);
        }
    });
    match &app.exposure {
        Exposure::Site(_) => vec![main],
        Exposure::Snippets => vec![
            main,
            file(server, &|text| site::server_snippet(text, app)),
            file(location, &|text| site::location_snippet(text, app)),
        ],
    }
}
