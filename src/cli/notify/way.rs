//! The ways out. Each escapes what people wrote by the rules of its own form, and none of them queues.

use super::super::Context;
use super::super::error::CliError;
use super::super::export::receiver::Means;
use super::settings::{SinkKind, SinkSettings};
use super::sink::Way;

mod card;
mod command;
mod email;
mod terminal;
mod web;

/// The way out of these settings.
///
/// # Errors
/// Where a setting is missing or cannot be used.
pub fn open(context: &Context, settings: &SinkSettings, means: &Means) -> Result<Box<dyn Way>, CliError> {
    Ok(match settings.kind {
        SinkKind::Webhook | SinkKind::Slack | SinkKind::Teams => Box::new(web::Web::of(context, settings, means)?),
        SinkKind::Email => Box::new(email::Email::of(context, settings, means)?),
        SinkKind::Command => Box::new(command::Program::of(context, settings, means.timeout)?),
        SinkKind::Terminal => Box::new(terminal::Terminal::of(context)),
    })
}
