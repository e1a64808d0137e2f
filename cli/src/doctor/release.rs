//! What a release is made of: the image at its registry, and the app's settings with their secrets.

use cutover_registry::Credentials;

use super::finding::Finding;
use super::ground::Ground;
use crate::credentials;
use crate::failure::Failure;
use crate::release::Settings;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let (settings, registry) = tokio::join!(settings(ground), registry(ground));
    std::iter::once(settings).chain(registry).collect()
}

async fn settings(ground: &Ground<'_>) -> Finding {
    match Settings::read(ground.config, ground.app).await {
        Ok(_) => Finding::ok("release.settings", "every secret and environment file can be read"),
        Err(failure) => Finding::failed("release.settings", &failure, "mend it in the file"),
    }
}

async fn registry(ground: &Ground<'_>) -> Vec<Finding> {
    let image = &ground.app.image;
    let host = image.registry();
    let found = match credentials::find(ground.config, host).await {
        Ok(credentials) => credentials,
        Err(failure) => {
            return vec![Finding::failed(
                "release.credentials",
                &failure,
                "mend [registry], or `docker login` again",
            )];
        }
    };
    let credentials = match found {
        Credentials::Anonymous => {
            let mend = format!("a private image needs [registry.\"{host}\"], or `docker login {host}`");
            Finding::note("release.credentials", format!("no credentials for {host}"), mend)
        }
        Credentials::Basic { username, .. } => {
            Finding::ok("release.credentials", format!("credentials of {username} for {host}"))
        }
        _ => Finding::ok("release.credentials", format!("an identity token for {host}")),
    };
    let resolved = async {
        let registry = credentials::client(ground.config, host).await?;
        // An image by its digest is asked for too: the engine pulls it from there.
        registry.resolve(image).await.map_err(Failure::from)
    };
    let image = match resolved.await {
        Ok(resolved) => Finding::ok("release.image", format!("{} is {}", image.get(), resolved.digest)),
        // A digest is not resolved by a deploy, and its image may be on the engine already.
        Err(failure) => {
            Finding::failed("release.image", &failure, "push it, or write another one in `image`")
                .grave_if(image.digest().is_none())
        }
    };
    vec![credentials, image]
}
