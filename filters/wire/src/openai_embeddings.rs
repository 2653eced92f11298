//! OpenAI Embeddings, `POST /v1/embeddings`.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "to be written")]
pub struct Answer {
    pub model: String,
    pub usage: Option<crate::usage::Usage>,
}
#[allow(missing_docs, clippy::missing_errors_doc, reason = "to be written")]
pub fn read_response(_body: &[u8]) -> Result<Answer, crate::error::Malformed> {
    Ok(Answer::default())
}
