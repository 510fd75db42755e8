-- The steps of a ReliableQueue. Redis runs a script from beginning to end before it looks at
-- anybody else's command, so that each step happens as a whole or not at all.
--
--   hotqueue:queue                 the messages that wait, oldest first
--   hotqueue:queue:held:ana-1f03   what the worker ana-1f03 holds
--   hotqueue:queue:workers         each worker and the time until which it counts as living
--   hotqueue:queue:last_activity   when anybody last took a step
--   hotqueue:queue:claims          each worker and the number of its latest claim
--   hotqueue:queue:deaths          each message and how many workers died of it
--   hotqueue:queue:puts            what was put in the last minute: a random token for each put
--   hotqueue:queue:dead            the dead letters: {"message": ..., "reason": ...}

local queue, call = KEYS[1], redis.call
local workers, claims, deaths = queue .. ':workers', queue .. ':claims', queue .. ':deaths'
local puts, last_activity = queue .. ':puts', queue .. ':last_activity'
local lease = tonumber(ARGV[2])  -- seconds
local clock = call('TIME')
local now = clock[1] + clock[2] / 1000000  -- Redis's clock: workers' clocks may differ
local MOST_DEATHS = 3
local REMEMBERED = 3600  -- seconds

local function held(worker) return queue .. ':held:' .. worker end

-- What a queue of something in particular adds to each step.
local on = {
  claim = function(message, worker) end,  -- may return a reason to refuse, '' to drop; details
  acknowledge = function(message, worker, outcome, value, extra) end,
  requeue = function(message, worker) end,
  dead_letter = function(message, reason) end,
}

local function dead_letter(message, reason)
  call('HDEL', deaths, message)
  call('RPUSH', queue .. ':dead', cjson.encode({message = message, reason = reason}))
  on.dead_letter(message, reason)
end

-- Everything that the worker holds goes back to the head of the queue, in the old order.
local function requeue(worker)
  local message = call('LMOVE', held(worker), queue, 'RIGHT', 'LEFT')
  while message do
    on.requeue(message, worker)
    message = call('LMOVE', held(worker), queue, 'RIGHT', 'LEFT')
  end
  call('HDEL', claims, worker)
end

-- Called by every step, so that whoever looks at the queue gives back what dead workers hold; the
-- worker that takes the step, if it is one, lives for one more lease. If nobody has been heard of
-- for a lease, it was Redis that was away and not a worker that died: then everybody gets one more
-- lease to come back. A dead worker is looked at for an hour more, because a command that it sent
-- before it died may still be on its way and hand it a message. now_and_then: ten times in a lease
-- is enough.
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
    local message = call('LINDEX', held(worker), 0)
    if message and call('HEXISTS', claims, worker) == 1
      and call('HINCRBY', deaths, message, 1) >= MOST_DEATHS then
      call('LPOP', held(worker))
      dead_letter(message, MOST_DEATHS .. ' workers died while they held it')
    end
    requeue(worker)
  end
  call('ZREMRANGEBYSCORE', workers, '-inf', now - REMEMBERED)
end

-- A number that is not the worker's latest claim is stale, and changes nothing.
local function acknowledge(worker, number, outcome, value, extra)
  if call('HGET', claims, worker) ~= number then return end
  local message = call('LPOP', held(worker))
  if not message then return end
  if outcome == 'unreadable' then return dead_letter(message, value) end
  call('HDEL', deaths, message)
  on.acknowledge(message, worker, outcome, value, extra)
end

-- First comes what the worker holds already: the answer to its last claim may have been lost.
local function claim(worker, number)
  if tonumber(call('HGET', claims, worker) or 0) > tonumber(number) then return end
  call('HSET', claims, worker, number)
  while true do
    while call('LLEN', held(worker)) > 1 do
      call('LMOVE', held(worker), queue, 'RIGHT', 'LEFT')
    end
    local message = call('LINDEX', held(worker), 0)
      or call('LMOVE', queue, held(worker), 'LEFT', 'RIGHT')
    if not message then return end
    local refused, details = on.claim(message, worker)
    if not refused then return {message, details or false} end
    call('LPOP', held(worker))
    if refused ~= '' then dead_letter(message, refused) end
  end
end

local steps = {}

function steps.length()
  requeue_from_dead_workers(nil, true)
  return call('LLEN', queue)
end

-- Sent twice, because the first answer was lost, it still puts the messages once.
function steps.put(token)
  requeue_from_dead_workers(nil, true)
  if call('ZADD', puts, 'NX', now, token) == 0 then return end
  call('ZREMRANGEBYSCORE', puts, '-inf', now - 60)
  for i = 4, #ARGV do call('RPUSH', queue, ARGV[i]) end
end

function steps.beat(worker)
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
