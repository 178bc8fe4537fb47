// Runs the store contract on `node:sqlite`, on the file that it is given, and prints the results as JSON.
import { sqliteStore, type SqliteDatabase } from '../../src/stores/sqlite.js'
import { storeContract } from '../../src/testing/store-contract.js'
import type { ContractResult } from './sqlite-files.js'

// The types of the oldest supported Node know no `node:sqlite`.
const { DatabaseSync } = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown as {
  DatabaseSync: new (path: string) => SqliteDatabase
}
const file = process.argv[2]!

async function runContract(): Promise<ContractResult[]> {
  const results: ContractResult[] = []
  for (const { name, run } of storeContract(() => sqliteStore(new DatabaseSync(file)))) {
    const failure = await run().then(
      () => null,
      (error: unknown) => String((error as Error).stack),
    )
    results.push([name, failure])
  }
  return results
}

void runContract().then((results) => console.log(JSON.stringify(results)))
