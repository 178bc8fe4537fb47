/** Express 4, installed under this name beside Express 5, has the same types as far as the tests go. */
declare module 'express4' {
  import express from 'express'
  export default express
}
