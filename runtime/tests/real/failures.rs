//! A build that fails says where and why.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cutover_runtime::{BuildError, BuildProgress, Error, StepState};

use crate::build::{BOTH, build, folder, spec};
use crate::rig::Rig;

#[tokio::test]
async fn a_step_that_fails_is_told_with_its_exit_code_and_last_lines() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "RUN [\"/service\", \"echo\", \"to out\", \"to err\"]\n");
    for builder in BOTH {
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        let mut told = Vec::new();
        let error = rig.engine.build(&spec, &mut |step| told.push(step)).await.unwrap_err();
        let BuildError::Step { step, exit_code: 7, output, .. } = &error else { panic!("{error:?}") };
        assert!(step.as_ref().is_some_and(|step| step.contains("RUN")), "{builder}: {step:?}");
        let mut output = output.clone();
        output.sort();
        assert_eq!(output, ["to err", "to out"], "{builder}");
        assert!(error.to_string().contains("exit code 7"), "{error}");
        let failed =
            |step: &BuildProgress| matches!(step, BuildProgress::Step { state: StepState::Failed, .. });
        assert!(told.iter().any(failed), "{builder}: {told:?}");
    }
}

#[tokio::test]
async fn faults_of_the_dockerfile_are_told_apart() {
    let rig = Rig::new().await;
    for builder in BOTH {
        let failure = async |dockerfile: &str, target: Option<&str>| {
            let folder = folder(&rig, dockerfile);
            let mut spec = spec(&rig, folder.path());
            spec.builder = Some(builder);
            spec.target = target.map(str::to_owned);
            build(&rig, &spec).await.unwrap_err()
        };
        let syntax = failure("FOO bar\n", None).await;
        assert!(matches!(syntax, BuildError::Syntax { line: Some(3), .. }), "{builder}: {syntax:?}");
        let missing = failure("COPY nope /\n", None).await;
        assert!(
            matches!(&missing, BuildError::NotInContext { path, .. } if path.ends_with("nope")),
            "{builder}: {missing:?}"
        );
        let target = failure("", Some("nothing")).await;
        assert!(
            matches!(&target, BuildError::NoSuchTarget { target, .. } if target == "nothing"),
            "{builder}: {target:?}"
        );
        let base = failure("FROM 127.0.0.1:1/none:v1\n", None).await;
        assert!(matches!(base, BuildError::Failed { .. } | BuildError::Engine(_)), "{builder}: {base:?}");
        let source = std::error::Error::source(&base).unwrap().to_string();
        assert!(source.contains("127.0.0.1:1"), "{builder}: {source}");
    }
}

#[tokio::test]
async fn a_tag_that_is_none_is_told_in_the_engines_words() {
    let rig = Rig::new().await;
    let folder = folder(&rig, "");
    for builder in BOTH {
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        spec.tags = vec!["Not A Tag".into()];
        let error = build(&rig, &spec).await.unwrap_err();
        assert!(matches!(&error, BuildError::Engine(Error::Refused { .. })), "{builder}: {error:?}");
    }
}

/// Root may read everything, so a file that changes stands for what cannot be read.
#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_fails_the_build_by_its_name() {
    let rig = Rig::new().await;
    for builder in BOTH {
        let folder = folder(&rig, "COPY . /\n");
        let path = folder.path().join("zz-growing");
        let growing = fs::File::create(&path).unwrap();
        growing.set_len(64 << 20).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let (ended, mut end) = tokio::sync::oneshot::channel::<()>();
        // It grows until the build is over, so that it does while it is sent.
        let grower = tokio::task::spawn_blocking(move || {
            let mut length = 64 << 20;
            while end.try_recv().is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Empty) {
                length += 1;
                growing.set_len(length).unwrap();
            }
        });
        let mut spec = spec(&rig, folder.path());
        spec.builder = Some(builder);
        let error = build(&rig, &spec).await.unwrap_err();
        drop(ended);
        grower.await.unwrap();
        assert!(
            matches!(&error, BuildError::File { path: named, .. } if named.ends_with("zz-growing")),
            "{builder}: {error:?}"
        );
    }
}
