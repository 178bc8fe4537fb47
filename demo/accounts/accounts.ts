import { hash, verify } from '@node-rs/argon2'
import type { Request } from 'express'
import { sessionOf, userOf } from 'express-sid'
import type Database from 'libsql'

/** A user, as the pages need them. The hash of the password stays in the database. */
export interface Account {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly role: 'member' | 'support'
  readonly note: string
}

/** argon2id, with the first of the settings that OWASP recommends. */
const argon2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The user of a request behind `requireUser()`. A real app declares `Express.User` once, see docs/typescript.md. */
export const accountOf = (req: Request): Account => userOf(req) as Account

/** Who acts as the user of a request: somebody from support, or nobody. */
export const actorOf = (req: Request): Account | undefined => sessionOf(req).actor as Account | undefined

type Db = InstanceType<typeof Database>

/** The users of the demo, in a table of their own beside the sessions. */
export class Accounts {
  /** Compared where there is no such user, so that an unknown email takes as long as a known one. */
  readonly #nobody = hash('nobody has this password', argon2)

  constructor(private readonly database: Db) {
    database.exec(`CREATE TABLE IF NOT EXISTS accounts (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
      note TEXT NOT NULL DEFAULT '', password TEXT NOT NULL
    ) STRICT`)
  }

  find(id: number): Account | undefined {
    return this.database
      .prepare('SELECT id, name, email, role, note FROM accounts WHERE id = ? AND ? = 1')
      .get(id, 1) as Account | undefined
  }

  members(): Account[] {
    return this.database
      .prepare('SELECT id, name, email, role, note FROM accounts WHERE role = ? AND ? = 1 ORDER BY name')
      .all('member', 1) as Account[]
  }

  /** Adds a user. `undefined` where the email is taken. */
  async add(name: string, email: string, password: string, role = 'member'): Promise<Account | undefined> {
    const hashed = await hash(password, argon2)
    const added = this.database
      .prepare(
        `INSERT INTO accounts (name, email, role, password) VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING id`,
      )
      .get(name, email, role, hashed) as { id: number } | undefined
    return added && this.find(added.id)
  }

  /** The user with this email, and whether this is their password. Takes as long for an email that nobody has. */
  async check(email: string, password: string): Promise<{ account: Account | undefined; isRight: boolean }> {
    const found = this.database
      .prepare('SELECT id, password FROM accounts WHERE email = ? AND ? = 1')
      .get(email, 1) as { id: number; password: string } | undefined
    const isRight = await verify(found?.password ?? (await this.#nobody), password)
    return { account: found && this.find(found.id), isRight: found !== undefined && isRight }
  }

  async setPassword(id: number, password: string): Promise<void> {
    const hashed = await hash(password, argon2)
    this.database.prepare('UPDATE accounts SET password = ? WHERE id = ?').run(hashed, id)
  }

  setNote(id: number, note: string): void {
    this.database.prepare('UPDATE accounts SET note = ? WHERE id = ?').run(note, id)
  }
}
