export { loginAs } from './login/login-as.js'
export { makeRecord, storeContract } from './store-contract.js'

export type { BrowserCookie, LoginAsOptions, TestLogin } from './login/login-as.js'
export type { ContractCase, ContractOptions, ContractPromise } from './store-contract.js'
