import { hash } from 'node:crypto'

/**
 * What the stores in SQL databases on the network have in common. Both keep a row of these columns:
 *
 * - `id`: the session id, as 16 bytes.
 * - `version`: what `update` compares.
 * - `user_key`: the SHA-256 of the user id. So any string is a key of one length, and no collation takes two users
 *   for one. Null for a guest.
 * - `expires_at`: the record's deadline, in epoch milliseconds.
 * - `due_at`: when `deleteExpired` next looks at the row: never after `expires_at`, often before. It is the
 *   indexed one. A touch moves `expires_at` and leaves `due_at` alone, and so writes to no index. A row that is due
 *   and still alive is put off to its deadline of that moment, about once in an idle timeout.
 * - `record`: the record as JSON. Nothing is read from the other columns but the id.
 *
 * Every operation is one statement on rows named by their primary key, or one whose effect does not depend on
 * an earlier one. So READ COMMITTED is enough, no transaction is ever open while the database waits for this
 * process, and nothing is left behind on a pooled connection.
 */

/**
 * The `user_key` of a user id. It is the hash of its JSON text, since in UTF-8 all lone surrogates become one
 * character.
 *
 * @example userKey('ann') // 32 bytes
 */
export function userKey(userId: string | undefined): Buffer | null {
  return userId === undefined ? null : hash('sha256', JSON.stringify(userId), 'buffer')
}
