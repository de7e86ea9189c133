//! What a start takes of what was kept.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use weir_store::SimEnv;
use weir_value::Timestamp;

use super::*;

/// 2026-09-21.
const NOW: Timestamp = Timestamp::from_nanos(1_790_000_000_000_000_000);

fn options(folder: &Path, names: &[&str]) -> AcmeOptions {
    AcmeOptions {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        email: None,
        directory: "https://ca.test/dir".into(),
        authorities: None,
        folder: folder.join("acme"),
    }
}

fn keep(options: &AcmeOptions, until: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(options.names.clone()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(until, 1, 1));
    let kept = KeptCertificate {
        directory: options.directory.clone(),
        names: options.names.clone(),
        chain: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    };
    Kept::at(&options.folder).keep_certificate(&kept).unwrap();
}

fn open(options: &AcmeOptions) -> Acme {
    Acme::open(options.clone(), false, Arc::new(SimEnv::new(1, NOW))).unwrap()
}

/// Whether an authority would be asked now.
fn is_due(acme: &Acme) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_millis(50), acme.until_due()).await.is_ok() })
}

#[test]
fn a_start_asks_nobody_while_what_was_kept_is_good_and_what_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let asked = options(dir.path(), &["b.test", "a.test"]);
    assert!(is_due(&open(&asked)) && open(&asked).expires_at().is_none());
    keep(&options(dir.path(), &["a.test", "b.test"]), 2040);
    let opened = open(&asked);
    assert!(opened.expires_at().is_some() && !is_due(&opened), "in whatever order the names are said");
    let more = open(&options(dir.path(), &["a.test", "b.test", "c.test"]));
    assert!(more.expires_at().is_some() && is_due(&more), "the old one is shown until the new one is there");
    let elsewhere = AcmeOptions { directory: "https://other.test/dir".into(), ..asked.clone() };
    assert!(is_due(&open(&elsewhere)));
    keep(&options(dir.path(), &["a.test", "b.test"]), 2027);
    assert!(is_due(&open(&asked)), "less than a third of its life is left");
    let file = dir.path().join("acme/certificate.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("-----BEGIN PRIVATE KEY-----", "-----BEGIN NOTHING-----")).unwrap();
    assert!(open(&asked).expires_at().is_none(), "what is no certificate is none");
}

#[test]
fn ways_without_a_port_for_them_are_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut acme = open(&options(dir.path(), &["a.test"]));
    assert_eq!(acme.ways(), [ChallengeType::TlsAlpn01]);
    acme.has_http = true;
    assert_eq!(acme.ways(), [ChallengeType::TlsAlpn01, ChallengeType::Http01]);
}

#[test]
fn authorities_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let refusal = |file: &Path| read_authorities(file).unwrap_err().to_string();
    assert!(refusal(&file).starts_with("--acme-ca"), "{}", refusal(&file));
    std::fs::write(&file, "nothing").unwrap();
    assert!(refusal(&file).contains("no certificate"), "{}", refusal(&file));
}
