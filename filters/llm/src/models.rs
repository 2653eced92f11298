//! Which models a key may use, as each API lists them. Pure.

use crate::config::Served;
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::model_list::{Model, write, write_one};

/// A model by its name.
type Named<'a> = (&'a Label, &'a Served);

/// All of `models`.
pub(crate) fn list<'a>(format: Format, models: impl Iterator<Item = Named<'a>>) -> Vec<u8> {
    write(format, &models.map(model).collect::<Vec<_>>())
}

/// One of them.
pub(crate) fn one(format: Format, named: Named<'_>) -> Vec<u8> {
    write_one(format, model(named))
}

fn model<'a>((name, served): Named<'a>) -> Model<'a> {
    Model { name: name.as_str(), owner: served.targets.first().map_or("", |target| target.provider.as_str()) }
}
