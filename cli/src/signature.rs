//! Whether a release is signed as the file wants it.

use cutover_registry::{ImageRef, PublicKey};

use crate::config::Config;
use crate::config::app::App;
use crate::credentials;
use crate::failure::{Exit, Failure};

/// Holds that one of the app's keys signed the image, which is named by its digest. An app without keys takes any image.
///
/// # Errors
/// When a key cannot be read, or no signature fits.
pub async fn check(config: &Config, app: &App, image: &ImageRef) -> Result<(), Failure> {
    if app.signed_by.is_empty() {
        return Ok(());
    }
    let mut keys = Vec::new();
    for path in &app.signed_by {
        let pem = config.read_beside(path, "the public key")?;
        let key = PublicKey::from_pem(&pem).map_err(|error| {
            let problem = format!("{} is no public key: {error}", path.value.display());
            config.source().invalid(
                path.span.clone(),
                problem,
                Some("write the path of a key in PEM, as cosign makes it"),
            )
        })?;
        keys.push(key);
    }
    let registry = credentials::client(config, image.registry()).await?;
    match registry.verify_signature(image, &keys).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(Exit::Unreachable, format!("{image} may not be deployed"))
            .because(&error)
            .serves("nothing was changed")
            .next("sign it with `cosign sign --key`, or take the keys out of `signed_by`")),
    }
}
