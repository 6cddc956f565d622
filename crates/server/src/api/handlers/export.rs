//! Everything that is held about a person, for programs and for people.

use std::io::Write as _;

use askama::Template;
use axum::http::Method;
use serde::Serialize;
use tenure_access::Operation;
use tenure_app::ListedReceipt;
use tenure_app::export::{AccountPart, ConversationPart, MessagePart, Part, RecordPart};

use super::views::ReceiptView;
use crate::api::ask::{Ask, Trouble, gone};
use crate::api::endpoint::{Endpoint, Outlet, streamed};
use crate::api::fault::Code;
use crate::api::input::Form;
use crate::api::stream::Outgoing;

/// The form of an export for programs.
const FORMAT: &str = "tenure-export/1";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let export = |path| {
        streamed(Operation::ExportPerson, Method::GET, path, "application/json", export)
            .says(
                "Export everything",
                "Everything that is held about the person, as they may be told it: what is known, every statement with \
                 its receipt, and every record with what was said, how long it is kept and why. One JSON document, or \
                 a page with `?as=page`. An answer that is cut off is not whole.",
            )
            .object_or_page()
    };
    vec![export("/v1/accounts/{account}/export"), export("/v1/me/export")]
}

fn export(ask: &Ask<'_>, form: Form, outlet: &mut Outlet) -> Result<(), Trouble> {
    let account = ask.account()?;
    // An account that is not there is a problem, and not the beginning of an answer.
    ask.tenure().account(account)?;
    if form == Form::Page {
        outlet.of_kind("text/html; charset=utf-8");
    }
    let mut writer = Writer { form, place: Place::Start };
    ask.tenure().export(account, ask.now, &mut |part| writer.write(&part, outlet.begin()?))?;
    writer.end(outlet.begin()?)
}

/// Where in the document the next part goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    Statements,
    Conversations,
    Records,
}

/// Writes parts as they come, so that none has to wait for the others.
struct Writer {
    form: Form,
    place: Place,
}

#[derive(Template)]
#[template(path = "export/head.html")]
struct HeadPage<'p> {
    account: &'p AccountPart,
}

#[derive(Template)]
#[template(path = "export/statement.html")]
struct StatementPage<'p> {
    listed: &'p ListedReceipt,
    says: String,
}

#[derive(Template)]
#[template(path = "export/conversation.html")]
struct ConversationPage<'p> {
    conversation: &'p ConversationPart,
}

#[derive(Template)]
#[template(path = "export/record.html")]
struct RecordPage<'p> {
    record: &'p RecordPart,
    messages: &'p [MessagePart],
}

impl Writer {
    fn write(&mut self, part: &Part, out: &mut Outgoing) -> Result<(), Trouble> {
        match (part, self.form) {
            (Part::Account(account), Form::Json) => {
                write!(out, "{{\"format\":\"{FORMAT}\",\"account\":").map_err(gone)?;
                json(out, account)
            }
            (Part::Account(account), Form::Page) => page(out, &HeadPage { account }),
            (Part::Statement(listed), form) => {
                self.move_to(Place::Statements, out)?;
                match form {
                    Form::Json => json(out, &ReceiptView::of(&listed.receipt)?),
                    Form::Page => {
                        page(out, &StatementPage { listed, says: listed.stated.statement.describe() })
                    }
                }
            }
            (Part::Conversation(conversation), form) => {
                self.move_to(Place::Conversations, out)?;
                match form {
                    Form::Json => json_open(out, conversation),
                    Form::Page => page(out, &ConversationPage { conversation }),
                }
            }
            (Part::Record(record), form) => {
                self.move_to(Place::Records, out)?;
                let messages = record.messages.as_deref().unwrap_or_default();
                match form {
                    Form::Json => json(out, record),
                    Form::Page => page(out, &RecordPage { record, messages }),
                }
            }
        }
    }

    /// Ends what is open and begins what the next part belongs to.
    fn move_to(&mut self, to: Place, out: &mut Outgoing) -> Result<(), Trouble> {
        let between: &[u8] = match (self.form, self.place, to) {
            (Form::Json, Place::Start, Place::Statements) => b",\"statements\":[",
            (Form::Json, Place::Start, Place::Conversations) => b",\"statements\":[],\"conversations\":[",
            (Form::Json, Place::Statements, Place::Conversations) => b"],\"conversations\":[",
            (Form::Json, Place::Conversations, Place::Records) => b"",
            (Form::Json, Place::Records, Place::Conversations) => b"]},",
            (Form::Json, ..) => b",",
            (Form::Page, Place::Start, Place::Statements) => b"<h2>Statements</h2><ol>",
            (Form::Page, Place::Start, Place::Conversations) => b"<h2>Conversations</h2>",
            (Form::Page, Place::Statements, Place::Conversations) => b"</ol><h2>Conversations</h2>",
            (Form::Page, ..) => b"",
        };
        self.place = to;
        out.write_all(between).map_err(gone)
    }

    fn end(&mut self, out: &mut Outgoing) -> Result<(), Trouble> {
        let end: &[u8] = match (self.form, self.place) {
            (Form::Json, Place::Start) => b",\"statements\":[],\"conversations\":[]}\n",
            (Form::Json, Place::Statements) => b"],\"conversations\":[]}\n",
            (Form::Json, Place::Conversations | Place::Records) => b"]}]}\n",
            (Form::Page, Place::Statements) => b"</ol></main></body></html>\n",
            (Form::Page, _) => b"</main></body></html>\n",
        };
        out.write_all(end).map_err(gone)
    }
}

fn json<T: Serialize>(out: &mut Outgoing, value: &T) -> Result<(), Trouble> {
    serde_json::to_writer(out, value).map_err(|_| Code::Internal.into())
}

/// A conversation, open for its records.
fn json_open(out: &mut Outgoing, conversation: &ConversationPart) -> Result<(), Trouble> {
    let text = serde_json::to_string(conversation).map_err(|_| Code::Internal)?;
    let open = text.strip_suffix('}').ok_or(Code::Internal)?;
    write!(out, "{open},\"records\":[").map_err(gone)
}

fn page(out: &mut Outgoing, template: &impl Template) -> Result<(), Trouble> {
    let text = template.render().map_err(|_| Code::Internal)?;
    out.write_all(text.as_bytes()).map_err(gone)
}
