import type { AddressInfo } from 'node:net'
import express from 'express'

const app = express()

app.get('/', (req, res) => {
  res.send(`Hello ${(req.user as { name?: string } | undefined)?.name ?? 'Stranger'}`)
})

const server = app.listen(0, () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
