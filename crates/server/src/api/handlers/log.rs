//! The log: what everybody may read of it, and that of which no key is needed.

use axum::http::Method;
use tenure_access::Operation;

use crate::api::answer::{Answer, Text};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::Code;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        operation(Operation::ReadCheckpoint, Method::GET, "/checkpoint", nowhere)
            .says("Read the checkpoint", "The newest checkpoint that was published, as a signed note (c2sp.org/tlog-checkpoint).")
            .fails(&[Code::NotFound])
            .elsewhere(),
        operation(Operation::ReadTile, Method::GET, "/tile/{level}/{place}", nowhere)
            .says("Read a tile", "A tile of the log, or a bundle of its entries, as c2sp.org/tlog-tiles describes them.")
            .fails(&[Code::NotFound])
            .elsewhere(),
        operation(Operation::ReadProof, Method::GET, "/v1/proofs/{leaf}", prove)
            .says(
                "Read a proof of inclusion",
                "The proof that the log has a leaf, as a file of c2sp.org/tlog-proof. It says nothing of what the leaf is.",
            )
            .fails(&[Code::LeafUnknown]),
    ]
}

fn prove(ask: &Ask<'_>, (): ()) -> Result<Answer<Text>, Trouble> {
    let leaf = ask.raw.param("leaf")?.parse().map_err(|_| Code::PathInvalid)?;
    Ok(Answer::ok(Text(ask.tenure().prove_leaf(leaf, ask.now)?.to_string())))
}

/// What the log's own router serves comes here only where that router is left out.
fn nowhere(_: &Ask<'_>, (): ()) -> Result<Answer<Text>, Trouble> {
    Err(Code::NotFound.into())
}
