//! A request that fits each endpoint about the house, with everything prepared that it needs to succeed.

use serde_json::{Value, json};
use tenure_access::{About, Change, Operation, Role, Target};
use tenure_app::run::Rows;
use tenure_app::{ChangeView, PublishedVersion};
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

/// The act that releases a hold in its first version.
pub(crate) fn release(hold: &str) -> Value {
    json!({"act": "release_hold", "hold": hold, "version": 1})
}

/// Whether an operation is about the house and none of the streams about many records.
fn is_about_the_house(operation: Operation) -> bool {
    let streams = [Operation::IngestBulk, Operation::ReadVerdicts, Operation::ExplainBulk];
    let about_accounts = matches!(operation.about(), About::Account | About::OnBehalf);
    !about_accounts && !operation.is_public() && !streams.contains(&operation)
}

/// The body that fits, where it does not depend on what is prepared.
fn body(world: &World, operation: Operation, whose: &str, record: &str) -> Option<Value> {
    let scope = |classes: &[&str]| json!({"scope": {"classes": classes}});
    let body = match operation {
        Operation::ComparePolicies => {
            json!({"from": {"version": "consumer@2025-10-08"}, "to": {"text": later_version("next")}})
        }
        Operation::PlanPolicy | Operation::PublishPolicy => json!({"texts": [POLICY]}),
        Operation::WithdrawPolicy => withdrawal(world),
        Operation::PreviewHold => scope(&["content"]),
        Operation::PlaceHold => json!({"scope": {"classes": ["content"]}, "may_tell": true}),
        Operation::AmendHold => scope(&["content", "history"]),
        Operation::ReadHeld => json!({"record": record}),
        Operation::DryRunSweep | Operation::RunSweep | Operation::RotateKey => json!({}),
        Operation::OverrideGuard => overriding(world),
        Operation::PauseDestruction => json!({"why": "an audit"}),
        Operation::SetObserve => json!({"observe": false}),
        Operation::SetEraseWithin => json!({"within": "20 days"}),
        Operation::OpenRun => json!({"purpose": "train", "folder": format!("run-{whose}")}),
        Operation::VerifyRun => json!({"folder": "known"}),
        Operation::MintKey => {
            json!({"owner": "somebody", "role": "ml", "expires_at": "2026-01-01T00:00:00Z"})
        }
        Operation::ProposeChange => {
            json!({"change": "overrides-guard", "act": {"act": "override_guard", "copies": {}}})
        }
        _ => return None,
    };
    Some(body)
}

/// The request that fits an endpoint; nothing for those about accounts. `whose` begins with the role that asks.
pub(crate) fn fitting(world: &World, route: &Route, whose: &str, record: &str) -> Option<Fitting> {
    if !is_about_the_house(route.operation) {
        return None;
    }
    let role: Option<Role> = whose.split('-').next().and_then(|role| role.parse().ok());
    let hold = format!("hold-{whose}-{}", route.id);
    let version = if route.operation == Operation::WithdrawPolicy { "mistaken" } else { "2025-10-08" };
    let mut path = route
        .path
        .replace("{hold}", &hold)
        .replace("{policy}", "consumer")
        .replace("{version}", version)
        .replace("{reader}", "counsel-9")
        .replace("{account}", whose)
        .replace("{record}", record);
    let (mut tag, mut body) = (None, body(world, route.operation, whose, record));
    if path.contains("/v1/holds/") {
        tag = prepare_hold(world, route.operation, &hold, whose, role);
    }
    match route.operation {
        Operation::ReleaseHold => {
            body = Some(json!({"approvals": [world.approved(Change::ReleasesHold, &release(&hold))]}));
        }
        Operation::ProposeChange if role == Some(Role::Legal) => {
            world.hold(&hold);
            body = Some(json!({"change": "releases-hold", "act": release(&hold)}));
        }
        Operation::RunSweep => drop(world.tenure.resume().unwrap()),
        _ => {}
    }
    if path.contains("{run}") {
        path = path.replace("{run}", &known_run(world));
    }
    if path.contains("{key}") {
        let key: tenure_access::ApiKey = world.key(Role::Ml).parse().unwrap();
        path = path.replace("{key}", &key.id().to_string());
    }
    if path.contains("{change}") {
        world.hold(&hold);
        let proposed = proposed(world, &hold);
        path = path.replace("{change}", &proposed.id);
        let approves = route.operation == Operation::ApproveChange;
        body = approves.then(|| json!({"digest": proposed.digest}));
    }
    Some(Fitting { path, tag, body })
}

/// The release of a hold, which somebody else has proposed.
fn proposed(world: &World, hold: &str) -> ChangeView {
    let proposer = World::staff("proposer", Operation::ProposeChange, &Target::Change(Change::ReleasesHold));
    let act = serde_json::from_value(release(hold)).unwrap();
    world.tenure.propose_change(&proposer, &act, world.now()).unwrap()
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
