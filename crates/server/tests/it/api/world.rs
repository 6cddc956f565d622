//! A Tenure in a temporary folder behind the API, and a client that holds every problem to the document.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};
use tenure_access::{
    ApiKey, Caller, Change, ConsoleUser, Environment, KeyTerms, Operation, Permit, Role, Scope, Subject,
    Target, TokenPurpose, decide,
};
use tenure_app::{Act, Entropy, Error, PublicLog, Tenure, TimeKeeping, TokenTerms, seen_digest};
use tenure_model::Instant;
use tenure_server::api::{Api, ApiLimits, api_router, openapi_document};
use tenure_server::{KnownLog, Limits, LogSource, SourceError, tiles_router};
use tenure_store::{SqliteStore, Store};
use tenure_tlog::tile::Resource;
use tenure_vault::{LogKeys, Vault};

use crate::fixture::{Server, silent};

pub(crate) const AUDIENCE: &str = "https://tenure.example";
pub(crate) const NOW: &str = "2025-09-10T10:00:00Z";
const START: &str = "2025-08-01T00:00:00Z";
pub(crate) const POLICY: &str = include_str!("../../../../../policies/example.toml");

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&openapi_document()).unwrap());

/// Random enough for ids and openings, and other in each world.
struct Drawn(Mutex<u64>);

static WORLDS: AtomicU64 = AtomicU64::new(1);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let mut state = self.0.lock().unwrap();
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (*state >> 56) as u8;
        }
        Ok(())
    }
}

struct Shown(PublicLog);

impl LogSource for Shown {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.resource(resource).map_err(SourceError::new)
    }
}

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// Tenure behind the API. Fields are dropped in this order.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) tenure: Tenure,
    clock: Arc<Mutex<Instant>>,
    folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) tag: Option<String>,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The answer, which must have this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The problem, which must have this code.
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(ApiLimits::default())
    }

    pub(crate) fn with(limits: ApiLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        std::fs::create_dir(&data).unwrap();
        let vault = Arc::new(Vault::create(&data, &keys).unwrap());
        let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), at(START)).unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
        let tenure = Tenure::new(
            Arc::clone(&store),
            vault,
            log,
            Arc::new(Drawn(Mutex::new(WORLDS.fetch_add(1, Ordering::Relaxed)))),
        );
        tenure.init(TimeKeeping::Simulated, at(START)).unwrap();
        tenure.publish(&[("example.toml".to_owned(), POLICY.to_owned())], at(START)).unwrap();
        tenure.publish_checkpoint(at(START)).unwrap();
        let clock = Arc::new(Mutex::new(at(NOW)));
        let told = Arc::clone(&clock);
        let api = Api::new(tenure.clone(), move || *told.lock().unwrap(), AUDIENCE, silent());
        let public = PublicLog::of(store).unwrap();
        let known = KnownLog::named_by(public.keys().unwrap()).unwrap();
        let tiles = tiles_router(Arc::new(Shown(public)), known, silent());
        let api = api.with_limits(limits).with_runs(&folder.path().join("runs"));
        let router = api_router(api, Some(tiles));
        let server = Server::start_with(router, Limits { connections: 128, ..Limits::default() });
        Self { server, tenure, clock, folder }
    }

    pub(crate) fn now(&self) -> Instant {
        *self.clock.lock().unwrap()
    }

    pub(crate) fn set_now(&self, text: &str) {
        *self.clock.lock().unwrap() = at(text);
    }

    pub(crate) fn key(&self, role: Role) -> String {
        self.key_with(role, Scope::default())
    }

    pub(crate) fn key_with(&self, role: Role, scope: Scope) -> String {
        self.key_until(role, scope, at("2026-08-01T00:00:00Z"))
    }

    /// A key of a role, as it is sent.
    pub(crate) fn key_until(&self, role: Role, scope: Scope, expires: Instant) -> String {
        let owner = format!("{role}-1").parse().unwrap();
        let terms = KeyTerms { environment: Environment::Test, owner, role, scope, expires };
        let key = self.tenure.mint_key(&Self::admin(Operation::MintKey), terms, self.now()).unwrap();
        key.text().to_string()
    }

    pub(crate) fn revoke(&self, key: &str) {
        let id = key.parse::<ApiKey>().unwrap().id();
        self.tenure.revoke_key(&Self::admin(Operation::RevokeKey), id, self.now()).unwrap();
    }

    /// The folder below which runs are written.
    pub(crate) fn runs(&self) -> std::path::PathBuf {
        self.folder.path().join("runs")
    }

    /// The id of a change that one person proposed and another approved.
    pub(crate) fn approved(&self, change: Change, act: &Value) -> String {
        let act: Act = serde_json::from_value(act.clone()).unwrap();
        let proposer = Self::staff("proposer", Operation::ProposeChange, &Target::Change(change));
        let proposed = self.tenure.propose_change(&proposer, &act, self.now()).unwrap();
        let approver = Self::staff("approver", Operation::ApproveChange, &Target::Change(change));
        let (id, seen) = (proposed.id.parse().unwrap(), seen_digest(&proposed.digest).unwrap());
        self.tenure.approve_change(&approver, id, seen, self.now()).unwrap();
        proposed.id
    }

    /// What somebody may who is of legal and of privacy.
    pub(crate) fn staff(name: &str, operation: Operation, target: &Target<'_>) -> Permit {
        let roles = [Role::Legal, Role::Privacy].into();
        let user = ConsoleUser { principal: name.parse().unwrap(), roles };
        decide(&Caller::User(&user), operation, target).unwrap()
    }

    /// A hold on all content, of which people may be told.
    pub(crate) fn hold(&self, name: &str) {
        let scope = serde_json::from_value(json!({"classes": ["content"]})).unwrap();
        self.tenure.place_hold(name, scope, true, self.now()).unwrap();
    }

    fn admin(operation: Operation) -> Permit {
        let user = ConsoleUser { principal: "admin-1".parse().unwrap(), roles: [Role::Admin].into() };
        decide(&Caller::User(&user), operation, &Target::House).unwrap()
    }

    pub(crate) fn token(&self, account: &str, purpose: TokenPurpose) -> String {
        let subject = Subject { organisation: None, account: account.parse().unwrap() };
        self.token_of(&subject, purpose, AUDIENCE)
    }

    pub(crate) fn token_of(&self, subject: &Subject, purpose: TokenPurpose, audience: &str) -> String {
        let from = self.now();
        let until = Instant::from_micros(from.micros() + 600_000_000).unwrap();
        let user = ConsoleUser { principal: "app-1".parse().unwrap(), roles: [Role::App].into() };
        let permit = decide(&Caller::User(&user), purpose.minting(), &Target::Account(subject)).unwrap();
        let terms = TokenTerms { audience, from, until };
        self.tenure.mint_token(&permit, terms, from).unwrap().to_string()
    }

    /// A request, with what it needs to be one.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        bearer: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, &[u8])>,
    ) -> Heard {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
        let agent: ureq::Agent = config.build().into();
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.server.url()));
        if !bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some((kind, body)) => {
                agent.run(request.header("content-type", kind).body(body.to_vec()).unwrap()).unwrap()
            }
            None => agent.run(request.body(()).unwrap()).unwrap(),
        };
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, tag) = (answer.status().as_u16(), header("etag"));
        let kind = header("content-type").unwrap_or_default();
        let body = answer.into_body().with_config().limit(1 << 30).read_to_vec().unwrap_or_default();
        let heard = Heard { status, tag, kind, body };
        if status >= 400 {
            check_documented(method, path, &heard);
        }
        heard
    }

    pub(crate) fn get(&self, path: &str, bearer: &str) -> Heard {
        self.send("GET", path, bearer, &[], None)
    }

    pub(crate) fn delete(&self, path: &str, bearer: &str) -> Heard {
        self.send("DELETE", path, bearer, &[], None)
    }

    pub(crate) fn json(&self, method: &str, path: &str, bearer: &str, body: &Value) -> Heard {
        self.send(method, path, bearer, &[], Some(("application/json", body.to_string().as_bytes())))
    }

    pub(crate) fn post(&self, path: &str, bearer: &str, body: &Value) -> Heard {
        self.json("POST", path, bearer, body)
    }

    /// An account that is open.
    pub(crate) fn open(&self, account: &str) {
        let facts = json!({"country": "US", "minor": false, "opened_at": "2024-05-01T00:00:00Z"});
        self.json("PUT", &format!("/v1/accounts/{account}"), &self.key(Role::App), &facts).expect(201);
    }

    /// A conversation of an account, and its record.
    pub(crate) fn converse(&self, account: &str, id: &str) -> String {
        let taken = self.post(
            &format!("/v1/accounts/{account}/conversations"),
            &self.key(Role::App),
            &conversation(id),
        );
        taken.expect(201).json()["records"][0].as_str().unwrap().to_owned()
    }

    /// The head of an account's chain.
    pub(crate) fn head(&self, account: &str) -> String {
        let standing = self.get("/v1/me/standing", &self.token(account, TokenPurpose::Read)).expect(200);
        standing.json()["head"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn conversation(id: &str) -> Value {
    json!({
        "id": id, "surface": "pro", "country": "US", "title": "A title", "scanned": true,
        "messages": [
            {"id": "m1", "at": "2025-09-09T10:00:00Z", "role": "human", "text": "how long should it steep?"},
            {"id": "m2", "at": "2025-09-09T10:00:05Z", "role": "assistant", "text": "three minutes",
             "content": {"tool": "none"}},
        ],
    })
}

/// The entry of the document for a request.
fn documented(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let named: Vec<&str> = template.split('/').collect();
        named.len() == parts.len()
            && named.iter().zip(&parts).all(|(named, part)| named.starts_with('{') || named == part)
    };
    let (_, item) = DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template))?;
    item.get(method.to_lowercase())
}

/// Every problem of an endpoint is in the document, and in the form that it describes.
fn check_documented(method: &str, path: &str, heard: &Heard) {
    if heard.body.is_empty() && method == "HEAD" {
        return;
    }
    assert_eq!(heard.kind, "application/problem+json", "{method} {path}: {heard:?}");
    let problem = heard.json();
    for field in ["type", "title", "code"] {
        assert!(problem[field].is_string(), "{problem}");
    }
    assert_eq!(problem["status"], heard.status);
    let Some(operation) = documented(method, path) else { return };
    let description = operation["responses"][heard.status.to_string()]["description"].as_str().unwrap_or("");
    let code = heard.code();
    assert!(description.contains(&format!("`{code}`")), "{method} {path} does not document {code}");
}
