//! Loading what was saved.

use std::io;

use bytes::Bytes;
use cutover_runtime::Error;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::rig::Rig;

#[tokio::test]
async fn a_saved_image_is_loaded_under_its_name_and_id() {
    let rig = Rig::new().await;
    let saved: Vec<Bytes> = rig.api.export_image(&rig.image).try_collect().await.unwrap();
    let id = rig.engine.observe_image(&rig.image).await.unwrap().unwrap().id;
    rig.engine.remove_image(&rig.image).await.unwrap();
    let parts = stream::iter(saved.clone().into_iter().map(Ok::<_, io::Error>));
    assert_eq!(rig.engine.load(parts).await.unwrap(), std::slice::from_ref(&rig.image));
    assert_eq!(rig.engine.observe_image(&rig.image).await.unwrap().unwrap().id, id);
}

#[tokio::test]
async fn an_archive_that_breaks_off_is_not_loaded_and_says_why() {
    let rig = Rig::new().await;
    let saved: Vec<Bytes> = rig.api.export_image(&rig.image).try_collect().await.unwrap();
    rig.engine.remove_image(&rig.image).await.unwrap();
    let whole = saved.concat();
    for cut in [0, 1000, whole.len() / 2, whole.len()] {
        let parts = stream::iter([Ok(Bytes::copy_from_slice(&whole[..cut]))])
            .chain(stream::iter([Err(io::Error::other("the registry went away"))]));
        let error = rig.engine.load(parts).await.unwrap_err();
        let Error::Load { source } = &error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "the registry went away");
        assert_eq!(rig.engine.observe_image(&rig.image).await.unwrap(), None, "after {cut} bytes");
    }
}

#[tokio::test]
async fn what_is_no_archive_is_refused() {
    let rig = Rig::new().await;
    let parts = stream::iter([Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 2000]))]);
    let error = rig.engine.load(parts).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}
