//! The database: SQLite in a file, as a shop has it.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params_from_iter};
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const DATA: &str = include_str!("data.sql");
/// How many rows a query brings back.
const ROWS: usize = 100;
/// How long a query may take; what reads can be endless.
const QUERY_TIME: Duration = Duration::from_secs(2);
/// How many of SQLite's own steps pass between two looks at the clock.
const STEPS: i32 = 10_000;

/// Why something was not done, for the model.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl<E: Display> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

pub(crate) struct Tables {
    path: PathBuf,
    writer: Mutex<Connection>,
}

impl Tables {
    /// The file as it was left, or with the shop's data if it is new.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let new = !path.exists();
        let tables = Self { path: path.to_owned(), writer: Mutex::new(Connection::open(path)?) };
        if new {
            tables.refill()?;
        }
        Ok(tables)
    }

    /// All data as it was at first.
    pub(crate) fn refill(&self) -> rusqlite::Result<()> {
        self.write(|writer| {
            let transaction = writer.transaction()?;
            transaction.execute_batch(DATA)?;
            transaction.commit()
        })
    }

    /// One SELECT, on a connection that can do nothing else.
    pub(crate) fn query(&self, sql: &str) -> Result<Value, Refusal> {
        let mut reader = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let until = Instant::now() + QUERY_TIME;
        reader.progress_handler(STEPS, Some(move || Instant::now() > until))?;
        reader.authorizer(Some(only_reads))?;
        let mut statement = reader.prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = Vec::new();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            if rows.len() == ROWS {
                return Ok(json!({"columns": columns, "rows": rows, "more": true}));
            }
            let cells: Result<Vec<Value>, _> = (0..columns.len()).map(|column| row.get_ref(column).map(told)).collect();
            rows.push(cells?);
        }
        Ok(json!({"columns": columns, "rows": rows, "more": false}))
    }

    /// Adds a row and tells its id.
    pub(crate) fn insert(&self, table: &str, values: &Map<String, Value>) -> Result<i64, Refusal> {
        self.write(|writer| {
            let quoted = known(writer, table)?;
            let mut columns = Vec::new();
            for column in values.keys() {
                let exists = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2";
                if !writer.prepare(exists)?.exists([table, column])? {
                    return Err(Refusal(format!("no column {column} in {table}")));
                }
                columns.push(quote(column));
            }
            let cells: Vec<Cell> = values.values().map(cell).collect::<Result<_, _>>()?;
            let places = vec!["?"; cells.len()].join(", ");
            let sql = format!("INSERT INTO {quoted} ({}) VALUES ({places})", columns.join(", "));
            writer.execute(&sql, params_from_iter(cells))?;
            Ok(writer.last_insert_rowid())
        })
    }

    /// Deletes a row.
    pub(crate) fn delete(&self, table: &str, id: i64) -> Result<(), Refusal> {
        self.write(|writer| {
            let quoted = known(writer, table)?;
            match writer.execute(&format!("DELETE FROM {quoted} WHERE id = ?1"), [id])? {
                0 => Err(Refusal(format!("no row {id} in {table}"))),
                _ => Ok(()),
            }
        })
    }

    /// Drops a table.
    pub(crate) fn drop_table(&self, table: &str) -> Result<(), Refusal> {
        self.write(|writer| {
            let quoted = known(writer, table)?;
            writer.execute(&format!("DROP TABLE {quoted}"), [])?;
            Ok(())
        })
    }

    fn write<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        act(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn only_reads(asked: AuthContext<'_>) -> Authorization {
    match asked.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if function_name != "load_extension" => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

/// The table's name as SQL, if there is such a table.
fn known(connection: &Connection, table: &str) -> Result<String, Refusal> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?1 AND name NOT LIKE 'sqlite_%'";
    let found: Option<String> = connection.query_row(sql, [table], |row| row.get(0)).optional()?;
    found.map(|name| quote(&name)).ok_or_else(|| Refusal(format!("no table {table}")))
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn cell(value: &Value) -> Result<Cell, Refusal> {
    Ok(match value {
        Value::Null => Cell::Null,
        Value::Bool(yes) => Cell::Integer(i64::from(*yes)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cell::Integer(whole),
            (None, Some(real)) => Cell::Real(real),
            (None, None) => return Err(Refusal(format!("{number} is no number of this database"))),
        },
        Value::String(text) => Cell::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => {
            return Err(Refusal("a value is a text, a number, true, false or null".into()));
        }
    })
}

fn told(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(whole) => whole.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    }
}
