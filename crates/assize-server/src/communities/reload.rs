//! Loads profiles at the start and again whenever their files change.
//!
//! A change counts when two looks in a row find the same: a file that is being written, or a folder whose links are
//! being swapped, is never put into force and never told as a mistake.

use super::{Candidates, Communities, ExampleRunner, Files, FolderError, Mismatch};
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

impl LoadError {
    /// Whether it says nothing about the files: the service was too busy to run the examples, or is ending. A model
    /// that fails on an example does say something, and waiting for it would hide that.
    const fn is_passing(&self) -> bool {
        matches!(self, Self::Examples(error) if error.is_passing())
    }
}

fn lines(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What a folder of profiles gives when all is right with those in force.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Every profile in force.
    pub(crate) catalog: Catalog,
    /// What is tried beside them.
    pub(crate) candidates: Candidates,
}

/// Parses the files and checks those in force as a whole, and each candidate by itself, examples included.
pub(crate) async fn load(
    files: &Files,
    config: &CommunitiesConfig,
    runner: &mut ExampleRunner,
) -> Result<Loaded, LoadError> {
    let catalog = Catalog::parse(&files.profiles.0)
        .map_err(|errors| LoadError::Invalid { folder: config.folder.clone(), errors })?;
    if catalog.get(&config.default).is_none() {
        let allowed = catalog.ids().iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
        return Err(LoadError::NoDefault { wanted: config.default.clone(), allowed });
    }
    let mismatches = runner.run(&catalog).await.map_err(LoadError::Examples)?;
    if !mismatches.is_empty() {
        return Err(LoadError::Mismatches(mismatches));
    }
    let candidates = Candidates::load(files, &catalog, runner).await;
    Ok(Loaded { catalog, candidates })
}

/// What a look at the folder found.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Profiles(Files),
    Unreadable,
}

/// Looks at the folder again and again. Owned by its task, which start-up spawns and shutdown aborts.
#[derive(Debug)]
pub(crate) struct Watcher {
    config: CommunitiesConfig,
    communities: Arc<Communities>,
    runner: ExampleRunner,
    metrics: Arc<Metrics>,
    in_force: Files,
    /// What the last look found: a change is acted on when the next look finds it again.
    last: Found,
    /// What was put into force or rejected last; `None` while a change waits for its examples to be run.
    settled: Option<Found>,
}

impl Watcher {
    /// Starts from the snapshot that is in force.
    pub(crate) fn new(
        config: CommunitiesConfig,
        communities: Arc<Communities>,
        runner: ExampleRunner,
        metrics: Arc<Metrics>,
        in_force: Files,
    ) -> Self {
        let last = Found::Profiles(in_force.clone());
        let settled = Some(last.clone());
        Self { config, communities, runner, metrics, in_force, last, settled }
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
        let read = Files::read(&self.config.folder);
        let found = read.as_ref().map_or(Found::Unreadable, |files| Found::Profiles(files.clone()));
        let is_steady = self.last == found;
        self.last = found.clone();
        if !is_steady {
            return;
        }
        let is_settled = self.settled.as_ref() == Some(&found);
        match read {
            Ok(files) if is_settled && files == self.in_force => self.try_waiting_candidates().await,
            _ if is_settled => {}
            Ok(files) if files == self.in_force => self.restored(),
            Ok(files) => self.changed(files).await,
            Err(error) => self.reject(&LoadError::Folder(error), found),
        }
    }

    /// Candidates for whose examples the model had no time are tried again; nothing else waits for them.
    async fn try_waiting_candidates(&mut self) {
        let in_force = Arc::clone(&self.communities.in_force());
        if in_force.candidates.is_waiting() {
            let candidates = Candidates::load(&self.in_force, &in_force.catalog, &mut self.runner).await;
            if !candidates.is_waiting() {
                report_candidates(&candidates, &self.metrics);
                self.communities.try_beside(candidates);
            }
        }
    }

    /// The files are again what is in force.
    fn restored(&mut self) {
        self.communities.accept();
        self.loaded();
    }

    async fn changed(&mut self, files: Files) {
        let checked = load(&files, &self.config, &mut self.runner).await;
        let registered = checked.and_then(|loaded| {
            let ids = loaded.catalog.ids();
            self.metrics.register_communities(&ids).map_err(LoadError::Metrics).map(|()| loaded)
        });
        match registered {
            Ok(loaded) => {
                report_candidates(&loaded.candidates, &self.metrics);
                self.communities.replace(loaded, SystemTime::now());
                self.in_force = files;
                self.loaded();
            }
            Err(error) if error.is_passing() => self.wait(&error),
            Err(error) => self.reject(&error, Found::Profiles(files)),
        }
    }

    fn loaded(&mut self) {
        self.settled = Some(Found::Profiles(self.in_force.clone()));
        self.metrics.service.profiles_reloaded(ReloadResult::Loaded, SystemTime::now());
        let communities = self.in_force.profiles.0.len();
        tracing::info!(communities, "profiles loaded");
    }

    /// Leaves the change to the next look. Logged once, however often it is tried.
    fn wait(&mut self, error: &LoadError) {
        if self.settled.take().is_some() {
            tracing::warn!(error = error_chain(error), "profiles can't be checked yet");
        }
        self.communities.wait();
    }

    fn reject(&mut self, error: &LoadError, found: Found) {
        self.settled = Some(found);
        let why = error_chain(error);
        self.communities.reject(&why);
        self.metrics.service.profiles_reloaded(ReloadResult::Rejected, SystemTime::now());
        tracing::error!(error = why, "profiles rejected; the older ones stay in force");
    }
}

/// Counts the candidates, and logs why some are not tried.
pub(crate) fn report_candidates(candidates: &Candidates, metrics: &Metrics) {
    let (tried, refused) = candidates.counts();
    metrics.service.candidates(tried, refused);
    for why in candidates.refused() {
        tracing::warn!(error = why, "candidate refused");
    }
}
