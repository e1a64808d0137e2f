use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use slack_morphism::prelude::{
    SlackApiPostWebhookMessageRequest, SlackClientHyperHttpsConnector, SlackHyperClient, SlackMessageContent,
};

use super::*;

/// Answers one request over TLS; whether it got one is what joining tells.
fn serve_once(certificate: CertificateDer<'static>, key: Vec<u8>) -> (u16, JoinHandle<bool>) {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        let mut request = [0; 4096];
        if stream.read(&mut request).unwrap_or(0) == 0 {
            return false;
        }
        let ok = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(ok).is_ok() && request.starts_with(b"POST /services/x HTTP/1.1\r\n")
    });
    (port, serving)
}

#[tokio::test]
async fn https_works_without_a_default_provider_and_trusts_the_given_roots_only() {
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "the test would prove nothing");
    for trusted in [true, false] {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = signed.cert.der().clone();
        let (port, serving) = serve_once(certificate.clone(), signed.signing_key.serialize_der());
        let mut store = RootCertStore::empty();
        if trusted {
            store.add(certificate).unwrap();
        }
        let connector = with_tls(roots(store).unwrap());
        let client = SlackHyperClient::new(SlackClientHyperHttpsConnector::with_connector(connector));
        let url = format!("https://localhost:{port}/services/x").parse().unwrap();
        let request = SlackApiPostWebhookMessageRequest::new(SlackMessageContent::new());
        let answer = client.post_webhook_message(&url, &request).await;
        assert_eq!(answer.is_ok(), trusted, "{answer:?}");
        assert_eq!(serving.join().unwrap(), trusted);
    }
}

#[test]
fn the_systems_roots_are_found() {
    assert!(system_roots().is_ok(), "install ca-certificates");
}
