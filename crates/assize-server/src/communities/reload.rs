//! Loads profiles at the start and again whenever their files change.

use super::{Communities, ExampleRunner, FolderError, Mismatch, Snapshot};
use crate::assessor::AssessError;
use crate::config::CommunitiesConfig;
use assize_domain::CommunityId;
use assize_preferences::{Catalog, ProfileErrors};
use assize_telemetry::{Metrics, MetricsError, ReloadResult, error_chain};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// Why a folder of profiles can't be put into force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The folder can't be read.
    #[error("the profiles can't be read")]
    Folder(#[source] FolderError),
    /// A file is wrong.
    #[error("the profiles in `{folder}` are not valid:\n{errors}")]
    Invalid {
        /// Which folder.
        folder: PathBuf,
        /// Every mistake.
        errors: ProfileErrors,
    },
    /// The default community is missing.
    #[error("`communities.default` is `{wanted}`, which is no profile in the folder; allowed: {allowed}")]
    NoDefault {
        /// The community asked for.
        wanted: CommunityId,
        /// Those that exist.
        allowed: String,
    },
    /// The examples can't be run.
    #[error("the profiles' examples can't be run")]
    Examples(#[source] AssessError),
    /// Examples come out otherwise than expected.
    #[error("the profiles decide their own examples otherwise:\n{}", lines(.0))]
    Mismatches(Vec<Mismatch>),
    /// The metrics can't take a new community.
    #[error("the metrics can't take the communities")]
    Metrics(#[source] MetricsError),
}

fn lines(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Parses a snapshot and checks it as a whole, examples included.
pub(crate) async fn load(
    snapshot: &Snapshot,
    config: &CommunitiesConfig,
    runner: &mut ExampleRunner,
) -> Result<Catalog, LoadError> {
    let catalog = Catalog::parse(&snapshot.0)
        .map_err(|errors| LoadError::Invalid { folder: config.folder.clone(), errors })?;
    if catalog.get(&config.default).is_none() {
        let allowed = catalog.ids().iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
        return Err(LoadError::NoDefault { wanted: config.default.clone(), allowed });
    }
    let mismatches = runner.run(&catalog).await.map_err(LoadError::Examples)?;
    if mismatches.is_empty() { Ok(catalog) } else { Err(LoadError::Mismatches(mismatches)) }
}

/// What became of the files that were last looked at.
#[derive(Debug, PartialEq)]
enum Seen {
    InForce,
    Rejected(Snapshot),
    Unreadable,
}

/// Looks at the folder again and again. Owned by its task, which start-up spawns and shutdown aborts.
#[derive(Debug)]
pub(crate) struct Watcher {
    config: CommunitiesConfig,
    communities: Arc<Communities>,
    runner: ExampleRunner,
    metrics: Arc<Metrics>,
    in_force: Snapshot,
    seen: Seen,
}

impl Watcher {
    /// Starts from the snapshot that is in force.
    pub(crate) const fn new(
        config: CommunitiesConfig,
        communities: Arc<Communities>,
        runner: ExampleRunner,
        metrics: Arc<Metrics>,
        in_force: Snapshot,
    ) -> Self {
        Self { config, communities, runner, metrics, in_force, seen: Seen::InForce }
    }

    /// Runs until it is dropped; returns at once where no interval is set.
    pub(crate) async fn run(mut self) {
        let Some(interval) = self.config.reload_interval else { return };
        loop {
            tokio::time::sleep(interval).await;
            self.look().await;
        }
    }

    async fn look(&mut self) {
        match Snapshot::read(&self.config.folder) {
            Ok(snapshot) if snapshot == self.in_force => self.restored(),
            Ok(snapshot) => {
                let seen = Seen::Rejected(snapshot);
                if self.seen != seen
                    && let Seen::Rejected(snapshot) = seen
                {
                    self.changed(snapshot).await;
                }
            }
            Err(error) if self.seen != Seen::Unreadable => {
                self.reject(&LoadError::Folder(error), Seen::Unreadable);
            }
            Err(_known) => {}
        }
    }

    /// The files are again what is in force.
    fn restored(&mut self) {
        if self.seen != Seen::InForce {
            self.communities.accept();
            self.loaded(Seen::InForce);
        }
    }

    async fn changed(&mut self, snapshot: Snapshot) {
        let checked = load(&snapshot, &self.config, &mut self.runner).await;
        let registered = checked.and_then(|catalog| {
            self.metrics.register_communities(&catalog.ids()).map_err(LoadError::Metrics).map(|()| catalog)
        });
        match registered {
            Ok(catalog) => {
                self.communities.replace(catalog, SystemTime::now());
                self.in_force = snapshot;
                self.loaded(Seen::InForce);
            }
            // A saturated or failing model says nothing about the files: the next look tries again.
            Err(error @ LoadError::Examples(_)) => {
                tracing::warn!(error = error_chain(&error), "profiles can't be checked yet");
            }
            Err(error) => self.reject(&error, Seen::Rejected(snapshot)),
        }
    }

    fn loaded(&mut self, seen: Seen) {
        self.seen = seen;
        self.metrics.service.profiles_reloaded(ReloadResult::Loaded, SystemTime::now());
        let communities = self.in_force.0.len();
        tracing::info!(communities, "profiles loaded");
    }

    fn reject(&mut self, error: &LoadError, seen: Seen) {
        self.seen = seen;
        let why = error_chain(error);
        self.communities.reject(&why);
        self.metrics.service.profiles_reloaded(ReloadResult::Rejected, SystemTime::now());
        tracing::error!(error = why, "profiles rejected; the older ones stay in force");
    }
}
