//! Building, by both builders of the real engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bollard::query_parameters as query;
use cutover_runtime::{
    BuildError, BuildProgress, BuildSecret, BuildSpec, Builder, Built, CacheTo, Image, StepState,
};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use crate::rig::{Rig, service, until};

pub(crate) const BOTH: [Builder; 2] = [Builder::BuildKit, Builder::Classic];

/// A build that the rig removes.
pub(crate) fn spec(rig: &Rig, context: &Path) -> BuildSpec {
    let mut spec = BuildSpec::new(context);
    spec.labels = rig.labels();
    spec
}

pub(crate) async fn build(rig: &Rig, spec: &BuildSpec) -> Result<Built, BuildError> {
    rig.engine.build(spec, &mut |_| {}).await
}

/// A folder with the service and that Dockerfile after `FROM scratch` and the service's place, for which no builder
/// has a layer of another run.
pub(crate) fn folder(rig: &Rig, dockerfile: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(service(), folder.path().join("service")).unwrap();
    fs::write(folder.path().join("own"), &rig.name).unwrap();
    let text = format!("FROM scratch AS base\nCOPY service own /\n{dockerfile}");
    fs::write(folder.path().join("Dockerfile"), text).unwrap();
    folder
}

pub(crate) async fn image_of(rig: &Rig, id: &str) -> Image {
    rig.engine.observe_image(id).await.unwrap().unwrap()
}

/// What the steps wrote.
fn written(told: &[BuildProgress]) -> Vec<&str> {
    let mut written = Vec::new();
    for step in told {
        if let BuildProgress::Output { text, .. } = step {
            written.push(text.as_str());
        }
    }
    written
}

fn ended(told: &[BuildProgress], state: StepState) -> usize {
    told.iter().filter(|step| matches!(step, BuildProgress::Step { state: is, .. } if *is == state)).count()
}

#[tokio::test]
async fn args_target_labels_and_tags_are_in_the_image() {
    let rig = Rig::new().await;
    let folder = folder(
        &rig,
        "FROM base AS wanted\nARG GREETING\nLABEL greeting=$GREETING\nRUN [\"/service\", \"check\"]\nFROM base AS other\nLABEL greeting=none\n",
    );
    for builder in BOTH {
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        spec.target = Some("wanted".into());
        spec.args = BTreeMap::from([("GREETING".into(), "good morning & \"more\"".into())]);
        let tags = ["a:one", "b:two"].map(|tag| format!("cutover-test/{}-{tag}", rig.name));
        spec.tags = tags.to_vec();
        let mut told = Vec::new();
        let built = rig.engine.build(&spec, &mut |step| told.push(step)).await.unwrap();
        assert_eq!(
            (told[0].clone(), built.builder),
            (BuildProgress::Builder { builder, why: None }, builder)
        );
        let image = image_of(&rig, &built.image).await;
        assert_eq!(image.labels["greeting"], "good morning & \"more\"", "{builder}");
        assert_eq!(image.labels["cutover.test"], "1");
        assert_eq!(image.repo_tags, tags);
        assert!(written(&told).contains(&"the service is well"), "{told:?}");
        assert!(ended(&told, StepState::Done) > 1 && ended(&told, StepState::Failed) == 0, "{told:?}");
        assert!(
            told.iter().any(|step| matches!(step, BuildProgress::Context { bytes, .. } if *bytes > 100_000))
        );
    }
}

#[tokio::test]
async fn what_was_built_before_is_not_built_again_unless_asked() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "RUN [\"/service\", \"check\"]\n");
    for builder in BOTH {
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        let first = build(&rig, &spec).await.unwrap();
        for no_cache in [false, true] {
            spec.no_cache = no_cache;
            let mut told = Vec::new();
            let again = rig.engine.build(&spec, &mut |step| told.push(step)).await.unwrap();
            assert_eq!(written(&told).is_empty(), !no_cache, "{builder}: {told:?}");
            assert_eq!(ended(&told, StepState::Cached) > 0, !no_cache, "{builder}: {told:?}");
            assert_eq!(again.image == first.image, !no_cache, "{builder}");
        }
    }
}

#[tokio::test]
async fn a_secret_is_read_by_its_step_and_is_nowhere_in_the_image() {
    let rig = Rig::new().await;
    let folder = folder(
        &rig,
        "RUN --mount=type=secret,id=token [\"/service\", \"cat\", \"/run/secrets/token\"]\nRUN --mount=type=secret,id=file [\"/service\", \"cat\", \"/run/secrets/file\"]\n",
    );
    let (token, kept) = (format!("token-{}", rig.name), format!("file-{}", rig.name));
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("secret");
    fs::write(&file, &kept).unwrap();
    let mut spec = spec(&rig, folder.path());
    spec.secrets.insert("token".into(), BuildSecret::Value(token.clone().into()));
    spec.secrets.insert("file".into(), BuildSecret::File(file));
    assert!(!format!("{spec:?}").contains(&token));
    let mut told = Vec::new();
    let built = rig.engine.build(&spec, &mut |step| told.push(step)).await.unwrap();
    let mut read = written(&told);
    read.sort_unstable();
    assert_eq!(read, [kept.as_str(), token.as_str()], "each step printed its own");
    let saved: Vec<_> = rig.api.export_image(&built.image).try_collect().await.unwrap();
    let inspected = format!("{:?}", rig.api.inspect_image(&built.image).await.unwrap());
    let history = format!("{:?}", rig.api.image_history(&built.image).await.unwrap());
    let saved = saved.concat();
    for secret in [&token, &kept] {
        assert!(!saved.windows(secret.len()).any(|part| part == secret.as_bytes()), "it is in a layer");
        assert!(!inspected.contains(secret) && !history.contains(secret));
    }

    spec.builder = Some(Builder::Classic);
    let refused = build(&rig, &spec).await.unwrap_err();
    assert!(matches!(refused, BuildError::Unsupported { builder: Builder::Classic, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_missing_and_an_oversized_secret_are_told_before_the_build() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "");
    let mut spec = spec(&rig, folder.path());
    for secret in
        [BuildSecret::File("/nonexistent/secret".into()), BuildSecret::Value("x".repeat(600 << 10).into())]
    {
        spec.secrets.insert("token".into(), secret);
        let error = rig.engine.build(&spec, &mut |step| panic!("{step:?}")).await.unwrap_err();
        assert!(matches!(&error, BuildError::Secret { id, .. } if id == "token"), "{error:?}");
    }
}

#[tokio::test]
async fn an_image_with_its_cache_inside_saves_the_same_build_elsewhere() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "RUN [\"/service\", \"check\"]\n");
    for builder in BOTH {
        let tag = format!("cutover-test/{}-cache:v1", rig.name);
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        spec.cache_to = Some("type=inline".parse::<CacheTo>().unwrap());
        spec.tags = vec![tag.clone()];
        build(&rig, &spec).await.unwrap();
        spec.cache_from = vec![tag];
        spec.tags = Vec::new();
        let mut told = Vec::new();
        rig.engine.build(&spec, &mut |step| told.push(step)).await.unwrap();
        assert!(written(&told).is_empty(), "{builder}: {told:?}");
    }
    let refused = "type=registry,ref=r/c".parse::<CacheTo>().unwrap_err().to_string();
    assert!(refused.contains("type=inline"), "{refused}");
}

/// An engine's BuildKit may be older than its support for SOURCE_DATE_EPOCH (0.11): then the image, and the folders that
/// `COPY` makes, have the builder's time where they are not from its cache.
#[tokio::test]
async fn equal_sources_of_other_times_and_places_make_equal_files_and_from_the_cache_one_image() {
    let rig = Rig::new().await;
    let mut images = Vec::new();
    let mut layers = Vec::new();
    for no_cache in [false, false, true] {
        let folder = folder(&rig, "COPY data /data\n");
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/file"), "the same").unwrap();
        let mut spec = spec(&rig, folder.path());
        spec.source_date_epoch = Some(1_700_000_000);
        spec.no_cache = no_cache;
        let image = build(&rig, &spec).await.unwrap().image;
        layers.push(rig.api.inspect_image(&image).await.unwrap().root_fs.unwrap().layers.unwrap());
        images.push(image);
    }
    assert_eq!(images[0], images[1]);
    assert_eq!(layers[0][0], layers[2][0], "files have the time of the sources");
}

#[tokio::test]
async fn a_changed_file_of_the_same_size_is_seen_though_times_are_cut_off() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "COPY file /ctx/file\n");
    let mut images = Vec::new();
    for text in ["one", "two"] {
        fs::write(folder.path().join("file"), text).unwrap();
        let mut spec = spec(&rig, folder.path());
        spec.source_date_epoch = Some(1_700_000_000);
        images.push(build(&rig, &spec).await.unwrap().image);
    }
    assert_ne!(images[0], images[1]);
}

#[tokio::test]
async fn a_dockerfile_outside_the_context_is_taken_by_buildkit_and_refused_by_the_classic_builder() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "");
    let outside = tempfile::tempdir().unwrap();
    fs::rename(folder.path().join("Dockerfile"), outside.path().join("web.Dockerfile")).unwrap();
    let mut spec = spec(&rig, folder.path());
    spec.dockerfile = outside.path().join("web.Dockerfile");
    build(&rig, &spec).await.unwrap();
    spec.builder = Some(Builder::Classic);
    let refused = build(&rig, &spec).await.unwrap_err();
    assert!(matches!(refused, BuildError::Unsupported { .. }), "{refused:?}");
}

/// The containers of steps have no labels of ours, but run our image's own command.
async fn containers(rig: &Rig, command: &str) -> usize {
    let all = query::ListContainersOptions { all: true, ..Default::default() };
    let listed = rig.api.list_containers(Some(all)).await.unwrap();
    listed
        .iter()
        .filter(|container| container.command.as_deref().is_some_and(|is| is.contains(command)))
        .count()
}

/// BuildKit's steps are no containers that the engine lists; their processes are on this machine.
fn processes(command: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(command)
    })
    .count()
}

#[tokio::test]
async fn a_build_that_is_dropped_leaves_nothing_running() {
    let rig = Rig::new().await;
    for builder in BOTH {
        // It says one line and stays; the name tells it from others'.
        let folder = folder(&rig, &format!("RUN [\"/service\", \"say\", \"1\", \"{}\"]\n", rig.name));
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        let (told, mut came) = tokio::sync::mpsc::unbounded_channel();
        let engine = rig.engine.clone();
        let building =
            tokio::spawn(async move { engine.build(&spec, &mut |step| drop(told.send(step))).await });
        while let Some(step) = came.recv().await {
            if matches!(&step, BuildProgress::Output { text, .. } if text == "line 1") {
                break;
            }
        }
        assert!(processes(&rig.name) > 0, "{builder}: the step is running");
        building.abort();
        assert!(building.await.unwrap_err().is_cancelled());
        until("the end of the step", || async { processes(&rig.name) == 0 }).await;
        until("the end of its container", || async { containers(&rig, &rig.name).await == 0 }).await;
    }
}
