import type Database from 'libsql'
import type { AnySessionEvent, Sessions } from 'express-sid'

/** A line of the audit log. */
export interface Line {
  readonly type: string
  readonly at: number
  readonly cause: string | null
  readonly actor: string | null
  readonly ip: string | null
  /** "Chrome on Linux": what the session said of itself when it began. */
  readonly device: string | null
}

type Db = InstanceType<typeof Database>

/** The audit log: every event of the sessions, in a table. Its pages show each user their own lines. */
export class Activity {
  constructor(private readonly database: Db) {
    database.exec(`CREATE TABLE IF NOT EXISTS activity (
      at INTEGER NOT NULL, type TEXT NOT NULL, user_id INTEGER, session_id TEXT, actor_id INTEGER,
      cause TEXT, ip TEXT
    ) STRICT`)
    database.exec('CREATE INDEX IF NOT EXISTS activity_user ON activity (user_id, at)')
    database.exec('CREATE TABLE IF NOT EXISTS devices (session_id TEXT PRIMARY KEY, label TEXT) STRICT')
  }

  /** Writes down what happens to sessions, but for what is no news to their user. */
  listen(sessions: Sessions): void {
    sessions.on('event', (event) => {
      const isReplaced = event.type === 'logout' && event.replaced
      if (event.type !== 'rotate' && !isReplaced && event.userId !== undefined) this.#write(event)
    })
    const named = ({ sessionId }: { sessionId: string }) => this.#nameDevice(sessions, sessionId)
    sessions.on('login', named).on('actAs', named).on('credentialsChanged', named)
  }

  /** Remembers what a session says of its device, which is forgotten with the session. */
  async #nameDevice(sessions: Sessions, sessionId: string): Promise<void> {
    const label = (await sessions.find(sessionId))?.label
    if (label !== undefined)
      this.database.prepare('INSERT OR REPLACE INTO devices VALUES (?, ?)').run(sessionId, label)
  }

  /** Writes down what no event tells. */
  note(type: string, userId: number, actorId?: number): void {
    this.database
      .prepare('INSERT INTO activity (at, type, user_id, actor_id) VALUES (?, ?, ?, ?)')
      .run(Date.now(), type, userId, actorId ?? null)
  }

  #write({ at, type, userId, sessionId, actor, cause, client }: AnySessionEvent): void {
    this.database
      .prepare('INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(
        at,
        type,
        userId ?? null,
        sessionId ?? null,
        actor?.userId ?? null,
        cause ?? null,
        client?.ip ?? null,
      )
  }

  /** The last lines about a user, newest first. */
  of(userId: number, count = 50): Line[] {
    return this.database
      .prepare(
        `SELECT a.type, a.at, a.cause, a.ip, d.label AS device, c.name AS actor
         FROM activity a LEFT JOIN devices d USING (session_id) LEFT JOIN accounts c ON c.id = a.actor_id
         WHERE a.user_id = ? ORDER BY a.at DESC, a.rowid DESC LIMIT ?`,
      )
      .all(userId, count) as Line[]
  }
}
