import type { SessionRecord } from '../../../src/record.js'
import type { OnRemoved, RecordPage, SessionStore, UpdateResult } from '../../../src/store.js'

/** Cut off from the original. */
export const copy = <T>(value: T): T =>
  value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T)

/** The shortest store that keeps every promise. The broken ones each change one thing. */
export class CorrectStore implements SessionStore {
  readonly records = new Map<string, SessionRecord>()

  async insert(record: SessionRecord): Promise<void> {
    if (this.records.has(record.id)) throw new Error('the id is taken')
    this.records.set(record.id, copy(record))
  }

  async get(id: string): Promise<SessionRecord | undefined> {
    return copy(this.records.get(id))
  }

  async getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]> {
    return ids.map((id) => copy(this.records.get(id)))
  }

  async update(record: SessionRecord, ifVersion: number): Promise<UpdateResult> {
    const old = this.records.get(record.id)
    if (old === undefined) return 'absent'
    if (old.version !== ifVersion) return 'conflict'
    this.records.set(record.id, copy(record))
    return 'ok'
  }

  async updateMany(
    updates: readonly { readonly record: SessionRecord; readonly ifVersion: number }[],
  ): Promise<UpdateResult[]> {
    const results: UpdateResult[] = []
    for (const { record, ifVersion } of updates) results.push(await this.update(record, ifVersion))
    return results
  }

  async delete(id: string): Promise<boolean> {
    return this.records.delete(id)
  }

  async listByUser(userId: string): Promise<SessionRecord[]> {
    return this.select((record) => record.userId === userId)
  }

  async pageByUser(userId: string, limit: number, after = ''): Promise<RecordPage> {
    const isAfter = (record: SessionRecord) => record.userId === userId && record.id > after
    const rest = this.select(isAfter).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return { records: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1]!.id : undefined }
  }

  async scan(limit: number, after = ''): Promise<RecordPage> {
    const rest = this.select(({ id }) => id > after).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return { records: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1]!.id : undefined }
  }

  async count(now: number): Promise<number> {
    return this.select(({ expiresAt }) => expiresAt > now).length
  }

  async deleteExpired(now: number, limit: number, onRemoved?: OnRemoved): Promise<number> {
    const due = this.select(({ expiresAt }) => expiresAt <= now).slice(0, limit)
    for (const { id } of due) this.records.delete(id)
    onRemoved?.(due)
    return due.length
  }

  select(test: (record: SessionRecord) => boolean): SessionRecord[] {
    return [...this.records.values()].filter(test).map(copy)
  }
}
