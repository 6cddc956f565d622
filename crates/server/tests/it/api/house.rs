//! A request that fits each endpoint about the house, with everything prepared that it needs to succeed.

use serde_json::{Value, json};
use tenure_access::{Change, Operation, Role, Target};
use tenure_app::PublishedVersion;
use tenure_app::run::Rows;
use tenure_server::api::Route;

use super::world::{Heard, POLICY, World, at};

/// A request.
pub(crate) struct Fitting {
    path: String,
    tag: Option<&'static str>,
    body: Option<Value>,
}

impl Fitting {
    pub(crate) fn send(&self, world: &World, route: &Route, bearer: &str) -> Heard {
        let headers: Vec<_> = self.tag.iter().map(|tag| ("if-match", *tag)).collect();
        let body = self.body.as_ref().map(Value::to_string);
        let body = body.as_ref().map(|body| ("application/json", body.as_bytes()));
        world.send(route.method.as_str(), &self.path, bearer, &headers, body)
    }
}

/// A version whose terms are those of the example, made known later, under this name.
pub(crate) fn later_version(name: &str) -> String {
    POLICY
        .replace("\"2025-10-08\"", &format!("\"{name}\""))
        .replace("2025-10-08T", "2025-10-09T")
        .replace("2025-08-28T", "2025-09-01T")
}

fn release(hold: &str) -> Value {
    json!({"act": "release_hold", "hold": hold, "version": 1})
}

/// The request that fits an endpoint; nothing for those about accounts. `whose` begins with the role that asks.
pub(crate) fn fitting(world: &World, route: &Route, whose: &str, record: &str) -> Option<Fitting> {
    let role: Option<Role> = whose.split('-').next().and_then(|role| role.parse().ok());
    let hold = format!("hold-{whose}-{}", route.id);
    let (mut path, mut tag) = (route.path.replace("{hold}", &hold), None);
    let body = match route.operation {
        Operation::ListPolicies | Operation::ListRuns | Operation::ListKeys => Some(Value::Null),
        Operation::ListHolds | Operation::ReadErasureReports => Some(Value::Null),
        Operation::ComparePolicies => {
            Some(json!({"from": {"version": "consumer@2025-10-08"}, "to": {"text": later_version("next")}}))
        }
        Operation::PlanPolicy | Operation::PublishPolicy => Some(json!({"texts": [POLICY]})),
        Operation::WithdrawPolicy => Some(withdrawal(world)),
        Operation::PreviewHold => Some(json!({"scope": {"classes": ["content"]}})),
        Operation::PlaceHold => Some(json!({"scope": {"classes": ["content"]}, "may_tell": true})),
        Operation::AmendHold => Some(json!({"scope": {"classes": ["content", "history"]}})),
        Operation::GiveReader | Operation::EndReader => Some(Value::Null),
        Operation::ReleaseHold => Some(json!({"approvals": []})),
        Operation::ReadHeld => Some(json!({"record": record})),
        Operation::DryRunSweep | Operation::RunSweep => Some(json!({})),
        Operation::OverrideGuard => Some(overriding(world)),
        Operation::PauseDestruction => Some(json!({"why": "an audit"})),
        Operation::ResumeDestruction => Some(Value::Null),
        Operation::SetObserve => Some(json!({"observe": false})),
        Operation::SetEraseWithin => Some(json!({"within": "20 days"})),
        Operation::OpenRun => {
            Some(json!({"purpose": "train", "folder": format!("run-{}", whose.to_lowercase())}))
        }
        Operation::VerifyRun => Some(json!({"folder": "known"})),
        Operation::ReadRevocations | Operation::ReadCertificate => Some(Value::Null),
        Operation::MintKey => {
            Some(json!({"owner": "somebody", "role": "ml", "expires_at": "2026-01-01T00:00:00Z"}))
        }
        Operation::RotateKey => Some(json!({})),
        Operation::RevokeKey | Operation::RejectChange | Operation::ListApprovals => Some(Value::Null),
        Operation::ProposeChange => {
            Some(json!({"change": "overrides-guard", "act": {"act": "override_guard", "copies": {}}}))
        }
        Operation::ApproveChange => Some(json!({"digest": ""})),
        _ => None,
    }?;
    let mut body = Some(body).filter(|body| !body.is_null());
    if path.contains("{policy}") {
        path = path.replace("{policy}", "consumer");
        let withdrawn = route.operation == Operation::WithdrawPolicy;
        path = path.replace("{version}", if withdrawn { "mistaken" } else { "2025-10-08" });
    }
    if path.contains("/v1/holds/") {
        tag = prepare_hold(world, route.operation, &hold, whose, role);
        if route.operation == Operation::ReleaseHold {
            body = Some(json!({"approvals": [world.approved(Change::ReleasesHold, &release(&hold))]}));
        }
    }
    path = path.replace("{reader}", "counsel-9").replace("{account}", whose).replace("{record}", record);
    if path.contains("{run}") {
        path = path.replace("{run}", &known_run(world));
    }
    if path.contains("{key}") {
        let key: tenure_access::ApiKey = world.key(Role::Ml).parse().unwrap();
        path = path.replace("{key}", &key.id().to_string());
    }
    if path.contains("{change}") || route.operation == Operation::ProposeChange {
        world.hold(&hold);
        if role == Some(Role::Legal) && route.operation == Operation::ProposeChange {
            body = Some(json!({"change": "releases-hold", "act": release(&hold)}));
        }
    }
    if path.contains("{change}") {
        let proposer =
            World::staff("proposer", Operation::ProposeChange, &Target::Change(Change::ReleasesHold));
        let act = serde_json::from_value(release(&hold)).unwrap();
        let proposed = world.tenure.propose_change(&proposer, &act, world.now()).unwrap();
        path = path.replace("{change}", &proposed.id);
        if route.operation == Operation::ApproveChange {
            body = Some(json!({"digest": proposed.digest}));
        }
    }
    if route.operation == Operation::RunSweep {
        world.tenure.resume().unwrap();
    }
    Some(Fitting { path, tag, body })
}

/// A hold as an endpoint needs it, with who asks among its readers where that matters.
fn prepare_hold(
    world: &World,
    operation: Operation,
    hold: &str,
    whose: &str,
    role: Option<Role>,
) -> Option<&'static str> {
    if operation == Operation::PlaceHold || world.tenure.hold(hold).is_ok() {
        return None;
    }
    world.hold(hold);
    let reader = match operation {
        Operation::ReadHeld => role.map_or_else(|| whose.to_owned(), |role| format!("{role}-1")),
        _ => "counsel-9".to_owned(),
    };
    if matches!(operation, Operation::ReadHeld | Operation::EndReader) {
        world.tenure.add_hold_reader(hold, &reader.to_lowercase(), world.now()).unwrap();
    }
    matches!(operation, Operation::AmendHold | Operation::ReleaseHold).then_some("\"1\"")
}

/// A version that is to be withdrawn, and the approval of that.
fn withdrawal(world: &World) -> Value {
    let is_gone = |version: &PublishedVersion| version.version == "mistaken" && version.withdrawn.is_some();
    if world.tenure.published(world.now()).unwrap().iter().any(is_gone) {
        return json!({});
    }
    let text = later_version("mistaken");
    world.tenure.publish(&[("mistaken.toml".to_owned(), text)], at("2025-09-10T09:00:00Z")).unwrap();
    let act = json!({"act": "withdraw", "version": "consumer@mistaken"});
    json!({"approvals": [world.approved(Change::WithdrawsVersion, &act)]})
}

fn overriding(world: &World) -> Value {
    world.tenure.resume().unwrap();
    let act = json!({"act": "override_guard", "copies": {}});
    json!({"copies": {}, "approvals": [world.approved(Change::OverridesGuard, &act)]})
}

/// A run that lies in a folder of its own.
fn known_run(world: &World) -> String {
    let folder = world.runs().join("known");
    match world.tenure.runs().unwrap().into_iter().find(|run| run.purpose == "safety") {
        Some(run) => run.run,
        None => {
            let opened = world.tenure.open_run("safety", &folder, Rows::Jsonl, world.now(), &mut |_| {});
            opened.unwrap().manifest.run
        }
    }
}
