// Runs the store contract on `node:sqlite`, on files named after the one it is given, and prints a report as JSON.
import { isBusy } from '../../../src/stores/sqlite/client.js'
import { sqliteStore } from '../../../src/stores/sqlite/index.js'
import { storeContract } from '../../../src/testing/store-contract.js'
import { lockedError, type Node24Report } from './sqlite-files.js'

// As Node 24's types declare it; those of the oldest supported Node know no `node:sqlite`.
type Value = null | number | bigint | string | NodeJS.ArrayBufferView
type Row = Record<string, null | number | bigint | string | Uint8Array>
interface Bound<Answer> {
  (...anonymous: Value[]): Answer
  (named: Record<string, Value>, ...anonymous: Value[]): Answer
}
interface StatementSync {
  get: Bound<Row | undefined>
  all: Bound<Row[]>
  run: Bound<{ changes: number | bigint }>
}
interface DatabaseSync {
  exec(sql: string): void
  prepare(sql: string): StatementSync
}

const { DatabaseSync } = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown as {
  DatabaseSync: new (path: string, options?: { readBigInts?: boolean }) => DatabaseSync
}
const file = process.argv[2]!

async function runContract(open: () => DatabaseSync): Promise<Record<string, string | null>> {
  const results: Record<string, string | null> = {}
  for (const { name, run } of storeContract(() => sqliteStore(open()))) {
    results[name] = await run().then(
      () => null,
      (error: unknown) => String((error as Error).stack),
    )
  }
  return results
}

async function report(): Promise<Node24Report> {
  return {
    contract: await runContract(() => new DatabaseSync(`${file}.db`)),
    contractWithBigInts: await runContract(() => new DatabaseSync(`${file}-big.db`, { readBigInts: true })),
    isBusyKnown: isBusy(lockedError(() => new DatabaseSync(`${file}-locked.db`))),
  }
}

void report().then((answer) => console.log(JSON.stringify(answer)))
