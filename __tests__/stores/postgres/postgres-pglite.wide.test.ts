import { PGlite } from '@electric-sql/pglite'
import { postgresStore } from 'express-sid/postgres'
import { storeContract } from 'express-sid/testing'
import { hearingContract } from '../../support/hearing.js'

// Real PostgreSQL in this process: so the contract runs where no server is. It takes seconds to start and
// hundreds of megabytes, hence one database for the file.
describe('postgresStore on PGlite', () => {
  let database: PGlite

  beforeAll(async () => {
    database = await PGlite.create()
  }, 60_000)

  afterAll(() => database.close())

  for (const { name, run } of storeContract(() => postgresStore(database))) test(name, run)

  describe('with heardEverywhere', () => {
    const open = () => postgresStore(database, { heardEverywhere: true })
    for (const { name, run } of hearingContract(open)) test(name, run)
  })
})
