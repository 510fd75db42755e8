-- The steps of a ReliableQueue. Redis runs a script from start to end before it runs any other
-- client's command, so each step is atomic: it happens as a whole or not at all.
--
--   hotqueue:queue                 the waiting messages, oldest first
--   hotqueue:queue:held:ana-1f03   the messages that the worker ana-1f03 has claimed
--   hotqueue:queue:workers         each worker and the time at which its lease ends
--   hotqueue:queue:last_activity   the time of the latest step that any client took
--   hotqueue:queue:claims          each worker and the number of its latest claim
--   hotqueue:queue:deaths          each message and the number of workers that died holding it
--   hotqueue:queue:puts            a random token for each put of the last minute
--   hotqueue:queue:dead            the dead letters: {"message": ..., "reason": ...}

local queue, call = KEYS[1], redis.call
local workers, latest_claims = queue .. ':workers', queue .. ':claims'
local deaths, put_tokens = queue .. ':deaths', queue .. ':puts'
local last_activity = queue .. ':last_activity'
local lease = tonumber(ARGV[2])  -- seconds
local clock = call('TIME')
local now = clock[1] + clock[2] / 1000000  -- Redis's clock, because workers' clocks may differ
local MAX_DEATHS = 3
local WATCHED_AFTER_DEATH = 3600  -- seconds

local function held_by(worker) return queue .. ':held:' .. worker end

-- Hooks: jobs.lua replaces them, so that a job's status changes in the same step as its queue.
local hooks = {
  -- Returns nothing to accept the message, '' to drop it, or a reason to dead-letter it; then
  -- the details that the claim returns with the message.
  claim = function(message, worker) end,
  acknowledge = function(message, worker, outcome, value, extra) end,
  requeue = function(message, worker) end,
  dead_letter = function(message, reason) end,
}

local function dead_letter(message, reason)
  call('HDEL', deaths, message)
  call('RPUSH', queue .. ':dead', cjson.encode({message = message, reason = reason}))
  hooks.dead_letter(message, reason)
end

-- Moves all messages that the worker holds to the head of the queue, in their old order.
local function requeue(worker)
  local message = call('LMOVE', held_by(worker), queue, 'RIGHT', 'LEFT')
  while message do
    hooks.requeue(message, worker)
    message = call('LMOVE', held_by(worker), queue, 'RIGHT', 'LEFT')
  end
  call('HDEL', latest_claims, worker)
end

-- Every step calls this, so any client that uses the queue requeues the messages of dead workers.
-- living: the worker that takes the step, if one does; its lease is renewed. now_and_then: skip
-- the call if the last one was less than a tenth of a lease ago.
-- After a lease without any activity it was Redis that was away, so no worker counts as dead and
-- each gets one more lease to come back. A dead worker is watched for another hour, because a
-- command that it sent before its death may still arrive and move a message to its list.
local function requeue_from_dead_workers(living, now_and_then)
  local silence = now - (call('GET', last_activity) or 0)
  if now_and_then and silence < lease / 10 then return end
  if not living and call('EXISTS', workers) == 0 then return end
  call('SET', last_activity, now)
  if silence > lease then
    for _, worker in ipairs(call('ZRANGE', workers, 0, -1)) do
      call('ZADD', workers, 'GT', now + lease, worker)
    end
  end
  if living then call('ZADD', workers, now + lease, living) end
  for _, worker in ipairs(call('ZRANGEBYSCORE', workers, '-inf', now)) do
    local message = call('LINDEX', held_by(worker), 0)
    if message and call('HEXISTS', latest_claims, worker) == 1
      and call('HINCRBY', deaths, message, 1) >= MAX_DEATHS then
      call('LPOP', held_by(worker))
      dead_letter(message, MAX_DEATHS .. ' workers died while they held it')
    end
    requeue(worker)
  end
  call('ZREMRANGEBYSCORE', workers, '-inf', now - WATCHED_AFTER_DEATH)
end

-- Only the worker's latest claim can be acknowledged. An older number is stale: the message was
-- requeued meanwhile, so nothing changes.
local function acknowledge(worker, number, outcome, value, extra)
  if call('HGET', latest_claims, worker) ~= number then return end
  local message = call('LPOP', held_by(worker))
  if not message then return end
  if outcome == 'unreadable' then return dead_letter(message, value) end
  call('HDEL', deaths, message)
  hooks.acknowledge(message, worker, outcome, value, extra)
end

-- Idempotent: a worker that already holds a message gets it again, because the reply to its last
-- claim may have been lost.
local function claim(worker, number)
  if tonumber(call('HGET', latest_claims, worker) or 0) > tonumber(number) then return end
  call('HSET', latest_claims, worker, number)
  while true do
    while call('LLEN', held_by(worker)) > 1 do
      call('LMOVE', held_by(worker), queue, 'RIGHT', 'LEFT')
    end
    local message = call('LINDEX', held_by(worker), 0)
      or call('LMOVE', queue, held_by(worker), 'LEFT', 'RIGHT')
    if not message then return end
    local refusal, details = hooks.claim(message, worker)
    if not refusal then return {message, details or false} end
    call('LPOP', held_by(worker))
    if refusal ~= '' then dead_letter(message, refusal) end
  end
end

local steps = {}

function steps.length()
  requeue_from_dead_workers(nil, true)
  return call('LLEN', queue)
end

-- Idempotent: a client that lost the reply sends the same token again, and nothing is put twice.
function steps.put(token)
  requeue_from_dead_workers(nil, true)
  if call('ZADD', put_tokens, 'NX', now, token) == 0 then return end
  call('ZREMRANGEBYSCORE', put_tokens, '-inf', now - 60)
  for i = 4, #ARGV do call('RPUSH', queue, ARGV[i]) end
end

function steps.heartbeat(worker)
  requeue_from_dead_workers(worker)
end

function steps.next(worker, new_number, number, outcome, value, extra)
  requeue_from_dead_workers(worker, true)
  acknowledge(worker, number, outcome, value, extra)
  return claim(worker, new_number)
end

function steps.close(worker, new_number, number, outcome, value, extra)
  acknowledge(worker, number, outcome, value, extra)
  requeue(worker)
  call('ZADD', workers, now, worker)
end
