//! LLM wire formats around one neutral conversation; token usage; prices.
//!
//! Pure: no I/O, no clock, no Envoy. Each format is one folder that reads and writes it ([`openai_chat`],
//! [`openai_responses`], [`anthropic_messages`], [`google_gemini`], [`bedrock_converse`]); between them stands one neutral [`conversation`], so N formats need N readers and N
//! writers, not N x N translators. When client and provider speak the same format nothing is translated: the
//! [`envelope`] names the byte ranges of the few fields Tollgate owns, and all other bytes pass as they came.

pub mod anthropic_messages;
mod arguments;
mod asked;
pub mod bedrock_converse;
mod blocks;
mod bytes;
pub mod calls;
pub mod canonical;
pub mod conversation;
mod dropped;
pub mod endpoint;
pub mod envelope;
pub mod error;
mod few;
mod fields;
pub mod format;
pub mod google_gemini;
pub mod instructions;
mod media;
pub mod model_list;
pub mod money;
pub mod openai_chat;
pub mod openai_embeddings;
mod openai_models;
pub mod openai_responses;
pub mod price;
pub mod quirks;
pub mod replay;
pub mod signature;
pub mod stream;
pub mod token_count;
pub mod usage;

pub use format::Format;
