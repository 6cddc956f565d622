//! Spans of requests and jobs for a collector that speaks OTLP over HTTP, with the client and the cryptographic
//! library that everything else here uses.
//!
//! A span says what a line of the log says: method, route template, status. What a client sends of a trace of its
//! own is not taken over.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use ureq::Agent;

use super::lines::More;
use crate::http::agent;

/// How long a collector may take; spans that it does not take are given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Spans could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The address can't be used.
    #[error("the address of the collector can't be used")]
    Address(#[from] crate::HttpError),
    /// What sends spans could not be made.
    #[error("what sends spans to the collector can't be made")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Sends what waits, when it is dropped.
#[derive(Debug)]
pub struct TraceEnd(SdkTracerProvider);

impl Drop for TraceEnd {
    fn drop(&mut self) {
        // A collector that is gone loses spans, and nothing else.
        drop(self.0.shutdown_with_timeout(PATIENCE));
    }
}

/// A layer that sends a share of all spans, in per cent, to a collector such as `http://127.0.0.1:4318/v1/traces`.
pub fn traces(endpoint: &str, share: u32, version: &'static str) -> Result<(More, TraceEnd), TraceError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client(agent(endpoint, PATIENCE)?))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(PATIENCE)
        .build()?;
    let resource = Resource::builder_empty()
        .with_attributes([KeyValue::new("service.name", "tenure"), KeyValue::new("service.version", version)])
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::TraceIdRatioBased(f64::from(share.min(100)) / 100.0))
        .with_resource(resource)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tenure"))
        // Where in the source an event is, and which thread made it, is of no use to anybody.
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_target("tenure", LevelFilter::INFO))
        .boxed();
    Ok((layer, TraceEnd(provider)))
}

/// The client of this house.
#[derive(Debug)]
struct Client(Agent);

#[async_trait]
impl HttpClient for Client {
    /// Blocks the thread that sends batches, which does nothing else.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.0.run(request.map(|body| body.to_vec()))?;
        let (parts, mut body) = answer.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}
