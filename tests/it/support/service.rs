//! Services: one that read-only tests share, and others with settings of their own.

use super::{Api, Folder};
use assize_server::config::{Overrides, load};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The model that the service ships with.
pub(crate) fn model_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("models/guard-v1")
}

/// A service in this process, on a port of its own.
#[derive(Debug)]
pub(crate) struct TestService {
    pub(crate) api: Api,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl TestService {
    /// Starts with profiles that nobody changes.
    pub(crate) async fn start(values: &[(&'static str, &str)]) -> Self {
        let folder = Folder::new();
        let fixed = [("communities.reload_interval", "0s")];
        Self::start_with(folder.path(), &[&fixed, values].concat()).await
    }

    /// Starts with a folder of profiles that must outlive the service where it is watched.
    pub(crate) async fn start_with(communities: &Path, values: &[(&'static str, &str)]) -> Self {
        let model = model_folder();
        let own = [
            ("server.listen", "127.0.0.1:0"),
            ("inference.model", model.to_str().unwrap()),
            ("communities.folder", communities.to_str().unwrap()),
        ];
        let values = own.iter().chain(values).map(|(key, value)| (*key, (*value).to_owned())).collect();
        let config = load(&Overrides { file: None, values }).unwrap();
        let listener = TcpListener::bind(config.server.listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = assize_server::start(config).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let until_stopped = async { stopped.await.unwrap_or_default() };
        let running = tokio::spawn(assize_server::run(service, listener, until_stopped));
        Self { api: Api::new(address), stop, running }
    }

    /// Says stop; the handle ends with the service.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        let _gone_already = self.stop.send(());
        self.running
    }
}

/// The service that read-only tests share. It has a runtime of its own, because each test's runtime ends with the
/// test; it ends with the process.
pub(crate) fn shared() -> Api {
    static SHARED: OnceLock<SocketAddr> = OnceLock::new();
    let address = SHARED.get_or_init(|| {
        let (say, hear) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                // As patient as the tests: read-only ones must not fail because others keep the machine busy.
                let service = TestService::start(&[("inference.deadline", "60s")]).await;
                say.send(service.api.address()).unwrap();
                service.running.await.unwrap();
            });
        });
        hear.recv_timeout(Duration::from_secs(60)).expect("the shared service starts")
    });
    Api::new(*address)
}
