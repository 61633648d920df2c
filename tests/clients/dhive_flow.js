'use strict'
// @hiveio/dhive 1.3.6: everything a person does. It broadcasts without waiting, so its confirmation is looked up.

const dhive = require('@hiveio/dhive')
const flow = require('./dsteem_steps')
const { run, settings } = require('./steps')

const INCLUSION_MS = 20000

run(() => {
  const client = new dhive.Client(settings.url, { chainId: settings.chainId, addressPrefix: settings.prefix })

  async function confirm (result) {
    for (let waited = 0; ; waited += 100) {
      try {
        const found = await client.database.getTransaction(result.id)
        return { id: result.id, block_num: found.block_num, trx_num: found.transaction_num, expired: false }
      } catch (error) {
        if (waited > INCLUSION_MS || !error.message.includes('Unknown Transaction')) throw error
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }

  return flow({ library: dhive, client, confirm })
})
