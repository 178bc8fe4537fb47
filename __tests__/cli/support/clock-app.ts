// An app on a machine whose clock is an hour ahead.
const now = Date.now
Date.now = () => now() + 3_600_000
void import('./planted.js').then(async ({ startApp }) => {
  const { port } = await startApp()
  console.log(`listening on ${port}`)
})
