//! What the commands of the registry side alone are asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cutover_registry::{ImageRef, Platform};

/// The registry side alone.
#[derive(Debug, Subcommand)]
pub enum Image {
    /// Print the digest that a tag stands for.
    Resolve {
        /// The image.
        #[arg(value_name = "REF")]
        image: ImageRef,
    },
    /// Print what an image is: its platforms, configuration and layers.
    Inspect {
        /// The image.
        #[arg(value_name = "REF")]
        image: ImageRef,
        /// The platform instead of this machine's, such as linux/arm64.
        #[arg(long)]
        platform: Option<Platform>,
    },
    /// Print the tags of a repository.
    Tags {
        /// The repository, such as ghcr.io/acme/web.
        #[arg(value_name = "REPOSITORY")]
        image: ImageRef,
    },
    /// Print what refers to an image: signatures, attestations and the like.
    Referrers {
        /// The image.
        #[arg(value_name = "REF")]
        image: ImageRef,
        /// Only those of this type.
        #[arg(long, value_name = "TYPE")]
        artifact_type: Option<String>,
    },
    /// Pull an image to an OCI image layout, or into the engine.
    Pull(Pull),
    /// Push the image of an OCI image layout.
    Push(Push),
}

/// What is pulled, and to where.
#[derive(Debug, Args)]
pub struct Pull {
    /// The image.
    #[arg(value_name = "REF")]
    pub image: ImageRef,
    /// The folder of the layout.
    #[arg(short, long, value_name = "DIR", required_unless_present = "load")]
    pub output: Option<PathBuf>,
    /// Have the engine take it, instead of a folder.
    #[arg(long, conflicts_with_all = ["output", "all_platforms"])]
    pub load: bool,
    /// The platform instead of this machine's, such as linux/arm64.
    #[arg(long)]
    pub platform: Option<Platform>,
    /// The images of all platforms, and the index as it is.
    #[arg(long, conflicts_with = "platform")]
    pub all_platforms: bool,
}

/// What is pushed, and to where.
#[derive(Debug, Args)]
pub struct Push {
    /// The folder of the layout.
    #[arg(value_name = "DIR")]
    pub layout: PathBuf,
    /// The image it is to be.
    #[arg(value_name = "REF")]
    pub image: ImageRef,
    /// Which of the layout's images, by its name there; may be left out when it has one.
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
    /// A tag besides; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// A repository of the same registry that may have the layers already, such as acme/base; may be given several times.
    #[arg(long, value_name = "REPOSITORY")]
    pub mount_from: Vec<String>,
}
