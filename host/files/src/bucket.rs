//! A bucket that speaks S3: how it is reached.

use std::sync::Arc;
use std::time::Duration;

use object_store::ClientOptions;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::client::{ClientConfigKey, HttpClient, HttpConnector};
use rustls::ClientConfig;
use weir_auth::machine_roots;

use crate::FilesError;

/// How long a connection may take to stand, TLS included,
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// and for how long the bucket may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The bucket of this name, as the environment says where it is and who asks.
pub(crate) fn open(bucket: &str) -> Result<Arc<dyn ObjectStore>, FilesError> {
    let built =
        AmazonS3Builder::from_env().with_bucket_name(bucket).with_http_connector(Connector).build()?;
    Ok(Arc::new(built))
}

/// Connects with TLS as the host has it everywhere: by ring, and trusting the machine's roots.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| object_store::Error::Generic {
            store: "S3",
            source: error,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.into()))?
            .with_root_certificates(machine_roots())
            .with_no_client_auth();
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(allows_http.as_deref() != Some("true"))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .read_timeout(SILENCE_MAX)
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(error.into()))?;
        Ok(HttpClient::new(client))
    }
}
