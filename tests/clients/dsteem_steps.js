'use strict'
// The steps of dsteem and of dhive, which is descended from it: both have the same functions. What differs comes in:
// `library` (the module), `client`, and `confirm(result)`, which waits until the transaction is in a block.

const { amount, dev, difference, nextBlock, settings, step } = require('./steps')

module.exports = async function flow ({ library, client, confirm }) {
  const { PrivateKey } = library
  const key = (account, role) => PrivateKey.fromString(settings.keys[account][role])
  const properties = () => client.database.getDynamicGlobalProperties()
  const headNumber = async () => (await properties()).head_block_number
  const account = async name => (await client.database.getAccounts([name]))[0]
  const sent = async promise => confirm(await promise)
  const send = (operations, key) => sent(client.broadcast.sendOperations(operations, key))
  const transfer = (value, to = 'bob', memo = '') => ['transfer', { from: 'alice', to, amount: value, memo }]
  const vote = (author, permlink, weight) => ({ voter: 'alice', author, permlink, weight })

  async function sign (operations, keys, changes = {}) {
    const head = await properties()
    const transaction = {
      ref_block_num: head.head_block_number & 0xffff,
      ref_block_prefix: Buffer.from(head.head_block_id, 'hex').readUInt32LE(4),
      expiration: time(head, 60),
      operations,
      extensions: []
    }
    return client.broadcast.sign(Object.assign(transaction, changes), keys)
  }

  const time = (head, seconds) => new Date(new Date(head.time + 'Z').getTime() + seconds * 1000).toISOString().slice(0, -5)

  async function reads () {
    await step('connect', async () => await headNumber() > 0)
    await step('balances', async () => {
      const { balance, sbd_balance: sbd, vesting_shares: vests } = await account('alice')
      return { balance, sbd, vests }
    })
    await step('unknown_account', async () => (await client.database.getAccounts(['nobody'])).length)
    await step('config', async () => (await client.database.getConfig()).STEEM_ADDRESS_PREFIX)
    await step('chain_properties', async () => (await client.database.getChainProperties()).maximum_block_size)
    await step('price', async () => (await client.database.getCurrentMedianHistoryPrice()).base.toString())
  }

  async function accounts () {
    const made = role => PrivateKey.fromLogin('newcomer', 'secret', role).createPublic(settings.prefix).toString()
    const authority = role => ({ weight_threshold: 1, account_auths: [], key_auths: [[made(role), 1]] })
    await step('create_account', async () => {
      await send([['account_create', {
        fee: (await client.database.getChainProperties()).account_creation_fee,
        creator: 'alice',
        new_account_name: 'newcomer',
        owner: authority('owner'),
        active: authority('active'),
        posting: authority('posting'),
        memo_key: made('memo'),
        json_metadata: ''
      }]], key('alice', 'active'))
      const row = await account('newcomer')
      return { name: row.name, active: row.active.key_auths[0][0] === made('active'), recovery: row.recovery_account }
    })
    await step('claimed_account', async () => {
      const fee = (await client.database.getChainProperties()).account_creation_fee
      await send([['claim_account', { creator: 'alice', fee, extensions: [] }]], key('alice', 'active'))
      const waiting = (await account('alice')).pending_claimed_accounts
      await send([['create_claimed_account', {
        creator: 'alice',
        new_account_name: 'claimed',
        owner: authority('owner'),
        active: authority('active'),
        posting: authority('posting'),
        memo_key: made('memo'),
        json_metadata: '',
        extensions: []
      }]], key('alice', 'active'))
      return [waiting, (await account('alice')).pending_claimed_accounts, (await account('claimed')).name]
    })
    await step('key_references', async () => {
      const wanted = { keys: [key('alice', 'active').createPublic(settings.prefix).toString()] }
      return (await client.call('account_by_key_api', 'get_key_references', wanted)).accounts[0]
    })
    await step('verify_authority', async () =>
      client.database.verifyAuthority(await sign([transfer('0.001 STEEM')], key('alice', 'active'))))
  }

  async function money () {
    await step('transfer', async () => {
      const before = await account('bob')
      const [first] = await Promise.all(['1.000 STEEM', '2.500 SBD'].map(amount =>
        sent(client.broadcast.transfer({ from: 'alice', to: 'bob', amount, memo: 'thanks' }, key('alice', 'active')))))
      const after = await account('bob')
      const transaction = await client.database.call('get_transaction', [first.id])
      const block = await client.database.getBlock(first.block_num)
      return {
        balance: difference(after.balance, before.balance),
        sbd: difference(after.sbd_balance, before.sbd_balance),
        expired: first.expired,
        operation: transaction.operations[0],
        in_block: block.transaction_ids.includes(first.id)
      }
    })
    await step('power_up', async () => {
      const before = await account('alice')
      await send([['transfer_to_vesting', { from: 'alice', to: 'alice', amount: '500.000 STEEM' }]], key('alice', 'active'))
      const after = await account('alice')
      return {
        balance: difference(after.balance, before.balance),
        vests: Math.round(amount(after.vesting_shares) - amount(before.vesting_shares)) > 0
      }
    })
    await step('power_down_and_delegate', async () => {
      const delegation = { delegator: 'alice', delegatee: 'carol', vesting_shares: '1000000.000000 VESTS' }
      await Promise.all([
        send([['withdraw_vesting', { account: 'alice', vesting_shares: '13000.000000 VESTS' }]], key('alice', 'active')),
        sent(client.broadcast.delegateVestingShares(delegation, key('alice', 'active')))
      ])
      const { vesting_withdraw_rate: rate, delegated_vesting_shares: delegated } = await account('alice')
      return { rate, delegated, delegations: (await client.database.getVestingDelegations('alice')).length }
    })
    await step('limit_order', async () => {
      await send([['limit_order_create', {
        owner: 'alice',
        orderid: 7,
        amount_to_sell: '10.000 STEEM',
        min_to_receive: '5.000 SBD',
        fill_or_kill: false,
        expiration: time(await properties(), 86400)
      }]], key('alice', 'active'))
      return (await client.database.call('get_open_orders', ['alice'])).map(order => order.orderid)
    })
  }

  async function content () {
    const comment = {
      parent_author: '',
      parent_permlink: 'plaudit',
      author: 'alice',
      permlink: 'hello',
      title: 'Hello',
      body: 'The body, öäü.',
      json_metadata: '{"tags":["plaudit"]}'
    }
    await step('post', async () => {
      // dhive calls the share of SBD percent_hbd; the node reads the chain's own name, so both are given.
      const options = {
        author: 'alice',
        permlink: 'hello',
        max_accepted_payout: '1000000.000 SBD',
        percent_steem_dollars: 10000,
        percent_hbd: 10000,
        allow_votes: true,
        allow_curation_rewards: true,
        extensions: [[0, { beneficiaries: [{ account: 'bob', weight: 2500 }] }]]
      }
      await sent(client.broadcast.commentWithOptions(comment, options, key('alice', 'posting')))
      const { title, body, author, permlink, beneficiaries } = await client.database.call('get_content', ['alice', 'hello'])
      return { title, body, author, permlink, beneficiaries }
    })
    await step('vote_reply_and_custom_json', async () => {
      const reply = { ...comment, parent_author: 'alice', parent_permlink: 'hello', author: 'carol', permlink: 're-hello' }
      const json = { required_auths: [], required_posting_auths: ['alice'], id: 'plaudit-test', json: '{"n":1}' }
      const [first] = await Promise.all([
        sent(client.broadcast.vote({ ...vote('alice', 'hello', 10000), voter: 'bob' }, key('bob', 'posting'))),
        sent(client.broadcast.comment(reply, key('carol', 'posting'))),
        sent(client.broadcast.json(json, key('alice', 'posting')))
      ])
      const votes = await client.database.call('get_active_votes', ['alice', 'hello'])
      const replies = await client.database.call('get_content_replies', ['alice', 'hello'])
      return {
        voters: votes.map(row => [row.voter, row.percent]),
        replies: replies.map(row => row.author),
        in_block: first.block_num > 0
      }
    })
    await step('witness_vote', async () => {
      await send([['account_witness_vote', { account: 'alice', witness: 'initminer', approve: true }]], key('alice', 'active'))
      return (await account('alice')).witness_votes
    })
  }

  async function errors () {
    const active = key('alice', 'active')
    await step('error_missing_posting', () => client.broadcast.vote(vote('alice', 'hello', 100), key('bob', 'posting')))
    await step('error_missing_active', () => send([transfer('1.000 STEEM')], key('alice', 'posting')))
    await step('error_missing_owner', async () => {
      const { owner } = await account('alice')
      const update = { account: 'alice', owner, memo_key: owner.key_auths[0][0], json_metadata: '' }
      return client.broadcast.updateAccount(update, active)
    })
    await step('error_irrelevant_signature', () => send([transfer('0.001 STEEM')], [active, key('bob', 'active')]))
    await step('error_funds', () => send([transfer('9000000.000 STEEM')], active))
    await step('error_unknown_receiver', () => send([transfer('0.001 STEEM', 'nobody')], active))
    await step('error_unknown_sender', () =>
      send([['transfer', { from: 'nobody', to: 'bob', amount: '0.001 STEEM', memo: '' }]], active))
    await step('error_fee', () => {
      const memoKey = active.createPublic(settings.prefix).toString()
      const owner = { weight_threshold: 1, account_auths: [], key_auths: [[memoKey, 1]] }
      return send([['account_create', {
        fee: '2.345 STEEM',
        creator: 'alice',
        new_account_name: 'cheap',
        owner,
        active: owner,
        posting: owner,
        memo_key: memoKey,
        json_metadata: ''
      }]], active)
    })
    await step('error_mixed_authorities', () => send([['vote', vote('alice', 'hello', 100)], transfer('0.001 STEEM')], active))
    await step('error_duplicate', async () => {
      const signed = await sign([transfer('0.001 STEEM', 'bob', 'twice')], active)
      await client.broadcast.call('broadcast_transaction', [signed])
      return client.broadcast.send(signed)
    })
    const head = await properties()
    const broken = async changes => client.broadcast.send(await sign([transfer('0.001 STEEM')], active, changes))
    await step('error_expired', () => broken({ expiration: time(head, -3) }))
    await step('error_expiration_too_far', () => broken({ expiration: time(head, 3700) }))
    await step('error_tapos', () => broken({ ref_block_num: 1, ref_block_prefix: 12345 }))
    await step('error_vote_too_fast', async () => {
      const first = await sign([['vote', vote('alice', 'hello', 100)]], key('alice', 'posting'))
      const second = await sign([['vote', vote('carol', 're-hello', 100)]], key('alice', 'posting'))
      await nextBlock(headNumber)
      await client.broadcast.call('broadcast_transaction', [first])
      return client.broadcast.send(second)
    })
    await step('error_unknown_method', () => client.call('condenser_api', 'get_nothing', []))
    await step('error_unknown_api', () => client.call('nowhere_api', 'get_nothing', {}))
  }

  async function history () {
    await step('history', async () => {
      const entries = await client.database.call('get_account_history', ['alice', -1, 100])
      return entries.map(([number, entry]) => [number, entry.op[0]])
    })
    await step('stream', async () => {
      const numbers = []
      const start = await headNumber()
      for await (const block of client.blockchain.getBlocks({ from: start, to: start + 2, mode: 1 })) {
        numbers.push(parseInt(block.block_id.slice(0, 8), 16) - start)
      }
      return numbers
    })
    await step('stream_operations', async () => {
      const { block_num: number } = await send([transfer('0.001 STEEM', 'bob', 'streamed')], key('alice', 'active'))
      const operations = []
      for await (const operation of client.blockchain.getOperations({ from: number, to: number, mode: 1 })) {
        operations.push(operation.op)
      }
      return operations[0]
    })
  }

  async function payout () {
    await step('payout', async () => {
      await dev('advance_time', { seconds: 7 * 86400 })
      const { total_payout_value: author, curator_payout_value: curators, cashout_time: time } =
        await client.database.call('get_content', ['alice', 'hello'])
      return { author: amount(author) > 0, curators: amount(curators) > 0, time }
    })
    await step('claim', async () => {
      const before = await account('alice')
      const rewards = [before.reward_steem_balance, before.reward_sbd_balance, before.reward_vesting_balance]
      await send([['claim_reward_balance', {
        account: 'alice',
        reward_steem: rewards[0],
        reward_sbd: rewards[1],
        reward_hive: rewards[0],
        reward_hbd: rewards[1],
        reward_vests: rewards[2]
      }]], key('alice', 'posting'))
      const after = await account('alice')
      return {
        rewarded: amount(rewards[2]) > 0,
        left: [after.reward_steem_balance, after.reward_sbd_balance, after.reward_vesting_balance],
        sbd: difference(after.sbd_balance, before.sbd_balance) === difference(rewards[1], '0.000 SBD')
      }
    })
    await step('reward_history', async () => {
      const entries = await client.database.call('get_account_history', ['bob', -1, 100])
      return entries.map(([, entry]) => entry.op[0]).filter(name => name.endsWith('_reward'))
    })
  }

  await reads()
  await accounts()
  await money()
  await content()
  await errors()
  await history()
  await payout()
}
