//! What a request says, and whether it may be said: headers, then the body.

use super::AtGate;
use crate::arrival;
use crate::cache::{Again, Consulted, Delivery, Question};
use crate::exchange::{Prompted, seconds};
use crate::refusal::Refusal;
use tollgate_host::abi;
use tollgate_host::headers::Headers;
use tollgate_host::stream::RequestBody;
use tollgate_identity::{Fault, Known, Unidentified, identify};
use tollgate_kernel::caller::{Caller, Denied};
use tollgate_kernel::provenance::Asker;
use tollgate_kernel::subject::Label;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::envelope::Envelope;
use tollgate_wire::instructions::Instructions;

impl AtGate {
    pub(super) fn read_headers(&mut self, headers: &Headers) -> Result<(), Refusal> {
        let Some(endpoint) = &self.endpoint else { return Err(Refusal::UnknownPath) };
        if headers.one(":method") != Some(endpoint.method().as_bytes()) {
            return Err(Refusal::Method { allowed: endpoint.method() });
        }
        endpoint.check_query(arrival::target(headers).1).map_err(Refusal::Invalid)?;
        let has_body = endpoint.operation != Operation::Models;
        if headers.all("content-encoding").any(|value| !value.eq_ignore_ascii_case(b"identity")) {
            return Err(Refusal::ContentEncoding);
        }
        if has_body && !headers.is_media_type("application/json") {
            return Err(Refusal::ContentType);
        }
        let began = self.shared(|exchange| exchange.began);
        let now_s = seconds(began.unwrap_or_default());
        let (caller, fault) = match identify(&self.gate.identity, &self.gate.keys, headers, &Known::default(), now_s) {
            Ok(caller) => (Some(caller), None),
            Err(Unidentified { fault, known }) => (known, Some(fault)),
        };
        self.shared(|exchange| exchange.caller = caller);
        fault.map_or(Ok(()), |fault| Err(Refusal::Unidentified(fault)))
    }

    pub(super) fn read_body(&self, body: &RequestBody) -> abi::Result<Result<(Label, Envelope), Refusal>> {
        let Some(endpoint) = &self.endpoint else { return Ok(Err(Refusal::UnknownPath)) };
        let bytes = body.read(body.size)?;
        let caller = self.shared(|exchange| exchange.caller.clone()).flatten();
        Ok(Envelope::read(endpoint, &bytes).map_err(Refusal::Invalid).and_then(|envelope| {
            self.shared(|exchange| exchange.asked = Some((envelope.model.clone(), envelope.stream)));
            let Some((name, model)) = self.gate.models.get_key_value(envelope.model.as_str()) else {
                return Err(Refusal::UnknownModel);
            };
            let caller = caller.ok_or(Refusal::Unidentified(Fault::NoKey))?;
            match caller.check(name.as_str(), model.route.as_str()) {
                Ok(()) => {
                    self.recognise(endpoint, &caller, &bytes);
                    self.consult(endpoint, name, &envelope, &bytes);
                    Ok((name.clone(), envelope))
                }
                Err((Denied::Model, proof)) => Err(Refusal::ModelNotAllowed { by: proof.rule() }),
                Err((Denied::Route, proof)) => Err(Refusal::RouteNotAllowed { by: proof.rule() }),
            }
        }))
    }

    /// Finds out from which prompt the request is made.
    fn recognise(&self, endpoint: &Endpoint, caller: &Caller, body: &[u8]) {
        if self.gate.prompts.is_empty() || endpoint.operation != Operation::Chat {
            return;
        }
        let Some(instructions) = Instructions::read(endpoint.format, body) else { return };
        let Some((name, prompt)) = self.gate.prompts.find(&instructions) else { return };
        let (asker, within_ms) = (Asker::of(&caller.subject), prompt.within_ms());
        let prompted = Prompted { name: name.clone(), asker, within_ms, noted: 0 };
        self.shared(|exchange| exchange.prompt = Some(prompted));
    }

    /// Asks whether the cache may have the answer, or may keep it.
    fn consult(&self, endpoint: &Endpoint, model: &Label, envelope: &Envelope, body: &[u8]) {
        let served = self.gate.models.get(model).and_then(|served| served.cache.as_ref());
        let kept = matches!(endpoint.operation, Operation::Chat | Operation::Embeddings);
        let Some(cached) = served.filter(|_| kept) else { return };
        let (cache, carried, wish) = (&self.gate.cache, &self.carried, self.wish);
        self.shared(|exchange| {
            let subject = exchange.caller.as_ref().map(|caller| &caller.subject);
            let question = Question { cache, model, cached, endpoint, envelope, carried, subject, wish };
            exchange.cache = Some(Consulted::of(&question, body));
        });
    }

    /// The answer that the cache has.
    pub(super) fn look_up(&self, envelope: &Envelope) -> Option<Again> {
        let (stream, include_usage) = (envelope.stream, envelope.include_usage);
        let delivery = Delivery { format: self.format(), stream, include_usage };
        self.shared(|exchange| exchange.cache.as_mut()?.look_up(delivery, abi::now())).flatten()
    }
}
