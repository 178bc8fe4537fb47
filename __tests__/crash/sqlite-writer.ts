// A process that logs in and out as fast as it can, and prints a line before each logout and after each answer.
// `writer.ts FILE die 211` kills itself right after its 211th login, `writer.ts FILE hold 600` only holds the
// file's lock for 600 ms.
import Libsql from 'libsql'
import { writeSync } from 'node:fs'
import { sqliteStore } from '../../src/stores/sqlite/index.js'
import { makeRecord } from '../../src/testing/records.js'

const [, , file = '', mode, amount] = process.argv
const database = new Libsql(file)
// Not by console.log, which may still hold lines back when the process is killed.
const say = (line: string) => writeSync(1, `${line}\n`)

if (mode === 'hold') holdLock(Number(amount))
else loginAndOut(mode === 'die' ? Number(amount) : Infinity)

function holdLock(milliseconds: number): void {
  database.exec('BEGIN IMMEDIATE')
  say('holding')
  setTimeout(() => database.exec('COMMIT'), milliseconds)
}

function loginAndOut(logins: number): void {
  const store = sqliteStore(database)
  for (let count = 1; ; count += 1) {
    const { id } = attempt(() => {
      const record = makeRecord()
      store.insert(record)
      return record
    })
    say(`inserted ${id}`)
    if (count === logins) process.kill(process.pid, 'SIGKILL')
    if (count % 2 === 1) continue
    say(`deleting ${id}`)
    attempt(() => store.delete(id))
    say(`deleted ${id}`)
  }
}

/** Another process may hold the lock for longer than the store waits. */
function attempt<T>(work: () => T): T {
  for (;;) {
    try {
      return work()
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error
    }
  }
}
