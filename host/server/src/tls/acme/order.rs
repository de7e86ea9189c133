//! One order: the account, the proofs that the names are this host's, the request, the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, Challenge, ChallengeType, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::AcmeOptions;
use super::challenges::Challenges;
use super::client::DirectoryClient;
use super::failure::Failure;
use super::kept::{Kept, KeptAccount, KeptCertificate};

/// How often an authority is asked how far it is: every half second first, then more and more seldom.
const ASK_AGAIN: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// What an order is made of.
pub struct Asked<'a> {
    /// What the operator wants.
    pub options: &'a AcmeOptions,
    /// Where the account is kept.
    pub kept: &'a Kept,
    /// Where the proofs are shown.
    pub challenges: &'a Challenges,
    /// How the authority is asked.
    pub client: &'a DirectoryClient,
    /// The ways in which it may be proven that a name is this host's, the best first.
    pub ways: &'a [ChallengeType],
}

impl Asked<'_> {
    /// Gets a certificate.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn obtain(&self) -> Result<KeptCertificate, Failure> {
        let account = self.account().await?;
        let names = self.options.names.iter().map(|name| Identifier::Dns(name.clone()));
        let mut order = account.new_order(&NewOrder::new(&names.collect::<Vec<_>>())).await?;
        // They are shown until the order is through, and no longer.
        let _shown = self.challenges.begin();
        self.prove(&mut order).await?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.options.names.clone())?;
        params.distinguished_name = DistinguishedName::new();
        order.finalize_csr(params.serialize_request(&key)?.der()).await?;
        let chain = order.poll_certificate(&ASK_AGAIN).await?;
        Ok(KeptCertificate {
            directory: self.options.directory.clone(),
            names: self.options.names.clone(),
            chain,
            key: key.serialize_pem(),
        })
    }

    /// The account that was kept, or a new one, which is kept before anything is asked with it.
    async fn account(&self) -> Result<Account, Failure> {
        let contact = self.options.email.as_ref().map(|email| format!("mailto:{email}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let builder = Account::builder_with_http(Box::new(self.client.clone()));
        let of_directory = |kept: &KeptAccount| kept.directory == self.options.directory;
        if let Some(kept) = self.kept.account()?.filter(of_directory) {
            let credentials = serde_json::from_value(kept.credentials.clone());
            let account = builder.from_credentials(credentials.map_err(instant_acme::Error::from)?).await?;
            if kept.email != self.options.email {
                account.update_contacts(&contact).await?;
                self.keep(KeptAccount { email: self.options.email.clone(), ..kept }).await?;
            }
            return Ok(account);
        }
        // By naming a name the operator has asked for this, terms included: docs/production.md says so.
        let new =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, self.options.directory.clone(), None).await?;
        let credentials = serde_json::to_value(&credentials).map_err(instant_acme::Error::from)?;
        let (directory, email) = (self.options.directory.clone(), self.options.email.clone());
        self.keep(KeptAccount { directory, email, credentials }).await?;
        Ok(account)
    }

    async fn keep(&self, account: KeptAccount) -> Result<(), Failure> {
        let kept = self.kept.clone();
        let written = tokio::task::spawn_blocking(move || kept.keep_account(&account)).await;
        Ok(written.map_err(std::io::Error::other)??)
    }

    /// Shows the authority what it asks for, and waits until it has looked.
    async fn prove(&self, order: &mut Order) -> Result<(), Failure> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            self.show(authorization?).await?;
        }
        let ended = order.poll_ready(&ASK_AGAIN).await;
        if matches!(ended, Ok(OrderStatus::Ready)) {
            return Ok(());
        }
        // The order itself says little: the reason stands with the name that was not proven.
        match reason(order).await {
            Some(failure) => Err(failure),
            None => Err(ended.map_or_else(Failure::from, |_| Failure::Invalid)),
        }
    }

    async fn show(&self, mut authorization: AuthorizationHandle<'_>) -> Result<(), Failure> {
        // It was proven a while ago, and the authority remembers.
        if authorization.status == AuthorizationStatus::Valid {
            return Ok(());
        }
        let name = authorization.identifier().to_string();
        let Some(way) = choose(self.ways, &authorization.challenges) else {
            return Err(Failure::NoWay { name });
        };
        let Some(mut challenge) = authorization.challenge(way.clone()) else {
            return Err(Failure::NoWay { name });
        };
        let proof = challenge.key_authorization();
        match way {
            ChallengeType::TlsAlpn01 => {
                self.challenges.show_certificate(&name, proof.digest().as_ref())?;
            }
            _ => self.challenges.show_text(&challenge.token, proof.as_str()),
        }
        tracing::debug!(name, ?way, "the authority may look");
        challenge.set_ready().await.map_err(|error| match error {
            instant_acme::Error::Api(problem) => Failure::Unproven { name, problem },
            error => error.into(),
        })
    }
}

/// The first of these ways that is offered.
fn choose(ways: &[ChallengeType], offered: &[Challenge]) -> Option<ChallengeType> {
    ways.iter().find(|way| offered.iter().any(|challenge| challenge.r#type == **way)).cloned()
}

/// Which name was not proven, and why.
async fn reason(order: &mut Order) -> Option<Failure> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let state = authorization.refresh().await.ok()?;
        let mut problems = state.challenges.iter().filter_map(|challenge| challenge.error.clone());
        if let Some(problem) = problems.next() {
            return Some(Failure::Unproven { name, problem });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_way_that_is_offered_is_taken() {
        let challenge = |kind: &str| {
            let text =
                format!(r#"{{"type":"{kind}","url":"https://ca.test/1","token":"t","status":"pending"}}"#);
            serde_json::from_str::<Challenge>(&text).unwrap()
        };
        let (alpn, http) = (ChallengeType::TlsAlpn01, ChallengeType::Http01);
        let offered = ["dns-01", "http-01", "tls-alpn-01"].map(challenge);
        assert_eq!(choose(&[alpn.clone(), http.clone()], &offered), Some(alpn.clone()));
        assert_eq!(choose(&[http.clone(), alpn.clone()], &offered), Some(http.clone()));
        assert_eq!(choose(&[alpn.clone(), http.clone()], &offered[..2]), Some(http));
        assert_eq!(choose(&[alpn], &offered[..2]), None);
    }
}
