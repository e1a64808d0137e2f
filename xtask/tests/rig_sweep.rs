//! The sweep, in a process of its own: it would take the containers of any test beside it.

use xtask::rig::image::ServiceImage;
use xtask::rig::{docker, run, sweep};

#[tokio::test]
async fn a_sweep_takes_what_this_run_made_and_nothing_of_another() {
    let stranger = format!("cutover-test-{}", run::random());
    docker::run(&["network", "create", "--label", run::TEST_LABEL, &stranger]).await.unwrap();
    let repository = format!("cutover-test/{}", run::random());
    let image = ServiceImage::build(&repository, "1", &[]).await.unwrap();
    // As the tested program would: nothing but the image tells whose the container is.
    let container = docker::run(&["run", "-d", image.name()]).await.unwrap();
    let swept = sweep().await;
    let left = docker::run(&["network", "rm", &stranger]).await;
    swept.unwrap();
    left.expect("another run's network was swept");
    for (kind, name) in [("container", container.as_str()), ("image", image.name())] {
        assert!(docker::run(&[kind, "inspect", name]).await.is_err(), "{kind} {name} is still there");
    }
}
