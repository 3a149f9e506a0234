use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long the head of a request may take. Who writes it a byte a minute holds a connection and does nothing with it.
const HEAD: Duration = Duration::from_secs(15);

/// The certificate that the service shows when no proxy in front of it does: a chain and its private key, PEM (RFC 7468).
/// TLS 1.3 and 1.2, nothing older.
#[derive(Debug, Clone)]
pub struct Certificate {
    shown: RustlsConfig,
    chain: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// Reads both files. An error if they are no PEM, or if the key is not the chain's.
    pub async fn load(chain: &Path, key: &Path) -> std::io::Result<Self> {
        let shown = RustlsConfig::from_pem_file(chain, key).await?;
        Ok(Self { shown, chain: chain.to_owned(), key: key.to_owned() })
    }

    /// Reads both files again: from now on new connections are shown what they say. After an error the old certificate
    /// is shown as before.
    pub async fn read_again(&self) -> std::io::Result<()> {
        self.shown.reload_from_pem_file(&self.chain, &self.key).await
    }

    /// Serves with it until `closing`; calls under way then end by themselves.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        service: IntoMakeServiceWithConnectInfo<axum::Router, SocketAddr>,
        closing: CancellationToken,
    ) -> std::io::Result<()> {
        let handle = Handle::new();
        let mut server = from_tcp_rustls(listener.into_std()?, self.shown)?.handle(handle.clone());
        server.http_builder().http1().header_read_timeout(HEAD);
        let serving = server.serve(service);
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => served,
            () = closing.cancelled() => {
                handle.graceful_shutdown(None);
                serving.await
            }
        }
    }
}
