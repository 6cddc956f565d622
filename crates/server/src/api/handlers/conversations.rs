//! Conversations: taken in one by one or as a stream, and deleted by their person.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenure_access::{Operation, Subject, Target, decide};
use tenure_app::{Conversation, Ingested, Message, Role, Taken};
use tenure_model::{Instant, Kind, Mode};
use utoipa::ToSchema;

use super::views::Country;
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Lines, PassedOn};

/// A conversation with its messages, or what is new of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Conversation)]
struct ConversationBody {
    /// The id that the product gave it. The same id again is the same conversation: what is known of it is passed
    /// over, and the rest goes on with it.
    #[schema(min_length = 1, max_length = 512)]
    id: String,
    /// `chat`, which is the default, or `code`.
    #[schema(value_type = Option<String>, pattern = "^(chat|code)$")]
    kind: Option<Kind>,
    /// The title that the person sees.
    title: Option<String>,
    /// The surface of messages that name none.
    #[schema(min_length = 1, max_length = 200)]
    surface: Option<String>,
    /// The mode of messages that name none: `normal`, which is the default, or `incognito`.
    #[schema(value_type = Option<String>, pattern = "^(normal|incognito)$")]
    mode: Option<Mode>,
    /// The country of messages that name none.
    country: Option<Country>,
    /// Whether the safety systems have looked at it.
    scanned: Option<bool>,
    /// The messages, in order.
    #[schema(min_items = 1)]
    messages: Vec<MessageBody>,
}

impl PassedOn for ConversationBody {}

/// More messages of a conversation. What they leave out is as it was last in the conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Messages)]
struct MessagesBody {
    /// The surface of messages that name none.
    #[schema(min_length = 1, max_length = 200)]
    surface: Option<String>,
    /// The mode of messages that name none.
    #[schema(value_type = Option<String>, pattern = "^(normal|incognito)$")]
    mode: Option<Mode>,
    /// The country of messages that name none.
    country: Option<Country>,
    /// Whether the safety systems have looked at them.
    scanned: Option<bool>,
    /// The messages, in order.
    #[schema(min_items = 1)]
    messages: Vec<MessageBody>,
}

impl PassedOn for MessagesBody {}

/// A message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Message)]
struct MessageBody {
    /// Its id, which no other message of the conversation has.
    #[schema(min_length = 1, max_length = 512)]
    id: String,
    /// When it was sent, by the product's clock; unknown where it is left out, and then it is never used for training.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Instant>,
    /// `human`, `assistant`, `system` or `tool`.
    #[schema(value_type = String, pattern = "^(human|assistant|system|tool)$")]
    role: Role,
    /// What was said; an empty text where there is only content.
    text: String,
    /// Anything beyond the text, kept as it is.
    #[schema(value_type = Option<serde_json::Value>)]
    content: Option<Box<RawValue>>,
    /// Ids of messages whose text this one carries. One that is not there denies every use.
    #[serde(default)]
    derived_from: Vec<String>,
    /// The surface, if it is another than the conversation's.
    #[schema(min_length = 1, max_length = 200)]
    surface: Option<String>,
    /// The mode, if it is another.
    #[schema(value_type = Option<String>, pattern = "^(normal|incognito)$")]
    mode: Option<Mode>,
    /// The country, if it is another.
    country: Option<Country>,
}

/// What became of a conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = Taken)]
struct TakenView {
    /// The conversation's id here.
    conversation: String,
    /// Its records, in their order. Verdicts, flags and explanations are about these.
    records: Vec<String>,
    /// How many messages were stored.
    stored: u64,
    /// How many were known already.
    known: u64,
    /// How many were refused, by reason.
    refused: BTreeMap<String, u64>,
}

/// What became of a stream.
#[derive(Serialize, ToSchema)]
#[schema(as = Streamed)]
struct StreamedView {
    /// What was read and what was not understood, by place: see the documentation of the formats.
    #[schema(value_type = Object)]
    report: tenure_app::Report,
    /// What was done with what was read, with what was refused by reason.
    #[schema(value_type = Object)]
    ingested: Ingested,
}

/// How much a deletion reached.
#[derive(Serialize, ToSchema)]
#[schema(as = Deleted)]
struct DeletedView {
    /// How many records were not deleted before.
    records: u64,
}

const FAILS: [Code; 4] =
    [Code::ConversationRefused, Code::ConversationMoved, Code::Refused, Code::ProofDestroyed];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let delete = |path| {
        operation(Operation::DeleteConversation, Method::DELETE, path, delete)
            .says(
                "Delete a conversation",
                "Records that its person deleted a conversation. What follows from that, the terms say.",
            )
            .fails(&[Code::ConversationUnknown, Code::ProofDestroyed])
    };
    vec![
        operation(Operation::IngestConversation, Method::POST, "/v1/accounts/{account}/conversations", take_in)
            .says(
                "Send a conversation",
                "Takes one conversation in, or what is new of one that is known. It is durable before the answer.",
            )
            .fails(&FAILS)
            .creates(),
        operation(
            Operation::IngestMessages,
            Method::POST,
            "/v1/accounts/{account}/conversations/{conversation}/messages",
            take_in_more,
        )
        .says("Send messages", "Takes more messages of a conversation in. They are durable before the answer.")
        .fails(&FAILS)
        .fails(&[Code::ConversationUnknown])
        .creates(),
        delete("/v1/accounts/{account}/conversations/{conversation}"),
        delete("/v1/me/conversations/{conversation}"),
        operation(Operation::IngestBulk, Method::POST, "/v1/conversations", take_in_stream)
            .says(
                "Send a stream of conversations",
                "Takes accounts and conversations in while they come, one object a line in Tenure's own form. All of \
                 it is durable before the answer, which says what was not understood and where. The same stream again \
                 takes what is missing, and nothing twice.",
            )
            .fails(&[Code::ConversationMoved, Code::Refused]),
    ]
}

/// The longest id that a product gives a conversation or a message.
const ID_MAX: usize = 512;

fn is_id(id: &str) -> bool {
    (1..=ID_MAX).contains(&id.chars().count())
}

fn message(body: MessageBody) -> Result<Message, Fault> {
    if !is_id(&body.id) {
        return Err(Fault::body(format!("the `id` of a message has 1 to {ID_MAX} characters")));
    }
    Ok(Message {
        id: Some(body.id),
        at: body.at,
        content: body.content,
        derived_from: body.derived_from,
        surface: body.surface,
        mode: body.mode,
        country: body.country.map(String::from),
        ..Message::new(body.role, body.text)
    })
}

fn messages(bodies: Vec<MessageBody>) -> Result<Vec<Message>, Fault> {
    bodies.into_iter().map(message).collect()
}

fn taken(Taken { conversation, records, ingested }: Taken) -> Result<Answer<Json<TakenView>>, Trouble> {
    let mut refused = BTreeMap::new();
    for (refusal, count) in ingested.refused_messages {
        let word = serde_json::to_value(refusal).map_err(|_| Code::Internal)?;
        refused.insert(word.as_str().unwrap_or_default().to_owned(), count);
    }
    let view = TakenView {
        conversation: conversation.to_string(),
        records,
        stored: ingested.messages,
        known: ingested.known,
        refused,
    };
    Ok(Answer::ok(Json(view)).with_status(StatusCode::CREATED))
}

fn take_in(ask: &Ask<'_>, Body(body): Body<ConversationBody>) -> Result<Answer<Json<TakenView>>, Trouble> {
    if !is_id(&body.id) {
        return Err(Fault::body(format!("`id` has 1 to {ID_MAX} characters")).into());
    }
    let conversation = Conversation {
        external_id: Some(body.id),
        account: Some(ask.account()?.to_owned()),
        title: body.title,
        kind: body.kind.unwrap_or(Kind::Chat),
        created_at: None,
        surface: body.surface,
        mode: body.mode,
        country: body.country.map(String::from),
        scanned: body.scanned,
        messages: messages(body.messages)?,
    };
    taken(ask.tenure().take_in(&conversation, ask.now)?)
}

fn take_in_more(ask: &Ask<'_>, Body(body): Body<MessagesBody>) -> Result<Answer<Json<TakenView>>, Trouble> {
    let more = Conversation {
        external_id: None,
        account: None,
        title: None,
        kind: Kind::Chat,
        created_at: None,
        surface: body.surface,
        mode: body.mode,
        country: body.country.map(String::from),
        scanned: body.scanned,
        messages: messages(body.messages)?,
    };
    let name = ask.raw.param("conversation")?;
    taken(ask.tenure().take_in_more(ask.account()?, name, more, ask.now)?)
}

fn take_in_stream(ask: &Ask<'_>, Lines(stream): Lines) -> Result<Answer<Json<StreamedView>>, Trouble> {
    let may_tell = |account: &str| {
        // A name that none can have is refused where it is opened.
        let Ok(account) = account.parse() else { return Ok(()) };
        let subject = Subject { organisation: None, account };
        Ok(decide(&ask.who.caller(), Operation::ChangeAccount, &Target::Account(&subject)).map(drop)?)
    };
    let tenure_app::Streamed { report, ingested } = ask.tenure().take_in_stream(stream, may_tell, ask.now)?;
    Ok(Answer::ok(Json(StreamedView { report, ingested })))
}

fn delete(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<DeletedView>>, Trouble> {
    let name = ask.raw.param("conversation")?;
    let records = ask.tenure().delete_conversation(ask.account()?, name, ask.now)?;
    Ok(Answer::ok(Json(DeletedView { records })))
}
