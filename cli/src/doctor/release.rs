//! What a release is made of: the image at its registry, and the app's settings with their secrets.

use cutover_registry::Credentials;

use super::finding::Finding;
use super::ground::Ground;
use crate::credentials;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let settings = match &ground.wanted.settings {
        Ok(()) => Finding::ok("release.settings", "every secret and environment file can be read"),
        Err(failure) => Finding::failed("release.settings", failure, "mend it in the file"),
    };
    std::iter::once(settings).chain(registry(ground).await).collect()
}

async fn registry(ground: &Ground<'_>) -> Vec<Finding> {
    let image = &ground.app.image;
    let host = image.registry();
    let found = match credentials::find(ground.config, host).await {
        Ok(credentials) => credentials,
        Err(failure) => {
            let mend = "mend [registry], or `docker login` again";
            return vec![Finding::failed("release.credentials", &failure, mend)];
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
    let image = match &ground.wanted.digest {
        Ok(digest) => Finding::ok("release.image", format!("{} is {digest}", image.get())),
        // A digest is not resolved by a deploy, and its image may be on the engine already.
        Err(failure) => Finding::failed("release.image", failure, "push it, or write another one in `image`")
            .grave_if(image.digest().is_none()),
    };
    vec![credentials, image]
}
