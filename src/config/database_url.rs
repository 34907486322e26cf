//! The contents of a database's URL other than the address.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret as _, SecretString};
use url::{Url, form_urlencoded};

/// The parts of a database's URL that must not appear in any output.
pub fn passwords_in(database_url: &SecretString) -> Vec<SecretString> {
    let url = Url::parse(database_url.expose_secret()).ok();
    url.iter().flat_map(passwords).map(SecretString::from).collect()
}

/// Whether two URLs lead to the same database: only the credentials may differ.
pub fn is_same_database(one: &SecretString, other: &SecretString) -> bool {
    let place = |url: &SecretString| {
        let url = Url::parse(url.expose_secret()).ok()?;
        let leads = |key: &str| matches!(key, "host" | "hostaddr" | "port" | "dbname") || key.starts_with("options");
        let mut query: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| leads(key)).collect();
        query.sort();
        let is_postgres = matches!(url.scheme(), "postgres" | "postgresql");
        let host = url.host_str().unwrap_or_default().to_owned();
        is_postgres.then(|| (host, url.port().unwrap_or(5432), url.path().to_owned(), query))
    };
    one.expose_secret() == other.expose_secret()
        || place(one).is_some_and(|place_of_one| place(other) == Some(place_of_one))
}

/// The passwords in a URL, as written and as decoded.
fn passwords(url: &Url) -> BTreeSet<String> {
    let written = url.password().map(str::to_owned);
    // Unlike in a form, a plus sign here means a plus sign.
    let form = written.as_ref().map(|written| written.replace('+', "%2B").replace('&', "%26"));
    let meant = form.as_ref().and_then(|form| form_urlencoded::parse(form.as_bytes()).next()).map(|(meant, _)| meant);
    let asked = url.query_pairs().filter(|(name, _)| name == "password").map(|(_, value)| value);
    let meant: Vec<String> = meant.into_iter().chain(asked).map(std::borrow::Cow::into_owned).collect();
    written.into_iter().chain(meant).collect()
}
