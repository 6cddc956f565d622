//! Backups that were taken.

use super::PgTx;
use super::query::{number, params};
use crate::{BackupId, BackupRead, BackupRow, BackupWrite, NewBackup, Stored};
use tenure_model::Instant;

impl BackupRead for PgTx<'_> {
    fn backups(&mut self) -> Stored<Vec<BackupRow>> {
        let sql = "SELECT id, taken_at, number, ages_out_at, note FROM backups ORDER BY id";
        self.list("list backups", sql, params![], |row| {
            let id = BackupId(row.int("id")?);
            let backup = NewBackup {
                taken_at: row.instant("taken_at")?,
                number: row.count("number")?,
                ages_out_at: row.instant_if_any("ages_out_at")?,
                note: row.get("note")?,
            };
            Ok(BackupRow { id, backup })
        })
    }
}

impl BackupWrite for PgTx<'_> {
    fn insert_backup(&mut self, new: &NewBackup) -> Stored<BackupId> {
        let sql =
            "INSERT INTO backups (taken_at, number, ages_out_at, note) VALUES ($1, $2, $3, $4) RETURNING id";
        let (taken_at, ends) = (new.taken_at.micros(), new.ages_out_at.map(Instant::micros));
        let values = params![taken_at, number(new.number, "number")?, ends, new.note];
        self.only("remember a backup", sql, values, |row| row.int("id").map(BackupId))
    }

    fn set_backup_end(&mut self, id: BackupId, ages_out_at: Instant) -> Stored<()> {
        let sql = "UPDATE backups SET ages_out_at = $2 WHERE id = $1";
        self.change_one("end a backup", "backups", sql, params![id.0, ages_out_at.micros()])
    }
}
