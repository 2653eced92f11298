//! Where the catalogue of a server is: in shared data, so that all workers know what one of them has seen. A worker reads it
//! anew only when somebody has changed it.

use super::catalogue::{Catalogue, News, Seen};
use super::schemas::Schemas;
use std::cell::RefCell;
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_kernel::subject::Label;

/// How often a change is tried. Each time it fails, another worker's has succeeded.
const TRIES: u32 = 1000;

/// The catalogue of one server. Its keys in shared data are `tollgate.mcp.tools.1.<server>`, where it is, and the same with
/// `.changed` behind it, which is written whenever that changes. The number is that of how it is written.
#[derive(Debug)]
pub struct Shelf {
    key: String,
    changed: String,
    /// As it was at that change.
    cached: RefCell<(u32, Rc<Catalogue>)>,
    /// Of its tools.
    pub(super) schemas: Schemas,
}

/// Makes the catalogue of `shelf`, if nobody has yet. Envoy configures a plugin on its main thread before any worker does, so
/// that no worker changes one while another makes it anew.
///
/// # Errors
/// When the host refuses.
pub fn prepare(shelf: &Shelf) -> abi::Result<()> {
    if abi::shared_data(&shelf.changed)?.is_some() {
        return Ok(());
    }
    abi::set_shared_data(&shelf.key, &[], 0)?;
    abi::set_shared_data(&shelf.changed, &[], 0).map(|_| ())
}

impl Shelf {
    /// That of the server with this name.
    #[must_use]
    pub fn of(server: &Label) -> Self {
        let key = format!("tollgate.mcp.tools.1.{server}");
        Self { changed: format!("{key}.changed"), key, cached: RefCell::default(), schemas: Schemas::default() }
    }

    /// What is known now. Nothing when the host refuses.
    pub fn catalogue(&self) -> Rc<Catalogue> {
        let Ok(Some((_, change))) = abi::shared_data(&self.changed) else { return Rc::default() };
        let cached = self.cached.borrow();
        if cached.0 == change {
            return Rc::clone(&cached.1);
        }
        drop(cached);
        let catalogue = match abi::shared_data(&self.key) {
            Ok(Some((bytes, _))) => Rc::new(Catalogue::read(&bytes).unwrap_or_default()),
            _ => return Rc::default(),
        };
        self.cached.replace((change, Rc::clone(&catalogue)));
        catalogue
    }

    /// Sees tools, alone of all workers; what is new of each. `None` when the host refuses.
    pub fn see(&self, tools: &[(String, Seen)]) -> Option<Vec<News>> {
        for _ in 0..TRIES {
            let (bytes, version) = abi::shared_data(&self.key).ok().flatten()?;
            let mut catalogue = Catalogue::read(&bytes).unwrap_or_default();
            let news: Vec<News> = tools.iter().map(|(name, seen)| catalogue.see(name, seen)).collect();
            if news.iter().all(|news| matches!(news, News::None | News::NoRoom)) {
                return Some(news);
            }
            if abi::set_shared_data(&self.key, &catalogue.write(), version).ok()? {
                abi::set_shared_data(&self.changed, &[], 0).ok()?;
                return Some(news);
            }
        }
        None
    }
}
