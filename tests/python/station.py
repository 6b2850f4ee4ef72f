"""A charging station made of the Python package `ocpp`, which others wrote: it checks what the node answers
against OCPP's own JSON schemas. Run by tests/ocpp/python_station.rs.

    station.py charge URL ID PASSWORD ID_TAG      a whole charge, started by its own card reader
    station.py remote URL ID PASSWORD             waits for a remote start, charges, waits for a remote stop
    station.py refused URL ID PASSWORD            must be refused with 401
    station.py malformed URL ID PASSWORD          a malformed frame is answered, and the connection stays

Prints one JSON object with what it was told, and exits with 0 when all went as it must.
"""

import asyncio
import base64
import json
import logging
import sys
from datetime import datetime, timezone

import websockets
from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    AuthorizationStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    ConfigurationStatus,
    Reason,
    RegistrationStatus,
    RemoteStartStopStatus,
)

PATIENCE = 20


def now():
    return datetime.now(timezone.utc).isoformat()


class Station(ChargePoint):
    """One connector that starts when it is told to."""

    def __init__(self, station_id, connection):
        super().__init__(station_id, connection, response_timeout=PATIENCE)
        self.configuration = {}
        self.to_start = asyncio.Queue()
        self.to_stop = asyncio.Queue()

    @on("ChangeConfiguration")
    def on_change_configuration(self, key, value):
        self.configuration[key] = value
        return call_result.ChangeConfiguration(status=ConfigurationStatus.accepted)

    @on("GetConfiguration")
    def on_get_configuration(self, key=None):
        known = [
            {"key": name, "readonly": False, "value": value}
            for name, value in self.configuration.items()
            if not key or name in key
        ]
        unknown = [name for name in key or [] if name not in self.configuration]
        return call_result.GetConfiguration(configuration_key=known, unknown_key=unknown)

    @on("RemoteStartTransaction")
    def on_remote_start(self, id_tag, connector_id=None, charging_profile=None):
        return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.accepted)

    @after("RemoteStartTransaction")
    async def after_remote_start(self, id_tag, connector_id=None, charging_profile=None):
        await self.to_start.put(id_tag)

    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id):
        return call_result.RemoteStopTransaction(status=RemoteStartStopStatus.accepted)

    @after("RemoteStopTransaction")
    async def after_remote_stop(self, transaction_id):
        await self.to_stop.put(transaction_id)

    async def boot(self):
        answer = await self.call(call.BootNotification(charge_point_vendor="Python", charge_point_model="ocpp"))
        assert answer.status == RegistrationStatus.accepted, answer
        assert answer.interval > 0, answer
        datetime.fromisoformat(answer.current_time.replace("Z", "+00:00"))

    async def say(self, status):
        await self.call(
            call.StatusNotification(
                connector_id=1, error_code=ChargePointErrorCode.no_error, status=status, timestamp=now()
            )
        )

    async def begin(self, id_tag):
        await self.say(ChargePointStatus.preparing)
        started = await self.call(
            call.StartTransaction(connector_id=1, id_tag=id_tag, meter_start=1000, timestamp=now())
        )
        assert started.id_tag_info["status"] == AuthorizationStatus.accepted, started
        await self.say(ChargePointStatus.charging)
        return started.transaction_id

    async def measure(self, transaction_id, wh):
        values = [
            {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": "11.04", "measurand": "Power.Active.Import", "unit": "kW"},
        ]
        meter_value = [{"timestamp": now(), "sampledValue": values}]
        await self.call(
            call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=meter_value)
        )

    async def end(self, transaction_id, wh, reason):
        await self.call(
            call.StopTransaction(transaction_id=transaction_id, meter_stop=wh, timestamp=now(), reason=reason)
        )
        await self.say(ChargePointStatus.available)


def connect(url, station_id, password):
    credentials = base64.b64encode(f"{station_id}:{password}".encode()).decode()
    return websockets.connect(
        f"{url}/{station_id}",
        subprotocols=["ocpp1.6"],
        additional_headers={"Authorization": f"Basic {credentials}"},
        open_timeout=PATIENCE,
    )


async def with_station(url, station_id, password, story):
    async with connect(url, station_id, password) as connection:
        assert connection.subprotocol == "ocpp1.6", connection.subprotocol
        station = Station(station_id, connection)
        listening = asyncio.create_task(station.start())
        try:
            return await asyncio.wait_for(story(station), PATIENCE)
        finally:
            listening.cancel()


async def charge(url, station_id, password, id_tag):
    async def story(station):
        await station.boot()
        await station.call(call.Heartbeat())
        info = (await station.call(call.Authorize(id_tag=id_tag))).id_tag_info
        assert info["status"] == AuthorizationStatus.accepted, info
        transaction_id = await station.begin(id_tag)
        for wh in (1500, 2000, 2500):
            await station.measure(transaction_id, wh)
        await station.end(transaction_id, 3000, Reason.local)
        return {"transaction_id": transaction_id, "configuration": station.configuration}

    return await with_station(url, station_id, password, story)


async def remote(url, station_id, password):
    async def story(station):
        await station.boot()
        id_tag = await station.to_start.get()
        transaction_id = await station.begin(id_tag)
        await station.measure(transaction_id, 2000)
        stopped = await station.to_stop.get()
        assert stopped == transaction_id, (stopped, transaction_id)
        await station.end(transaction_id, 4000, Reason.remote)
        return {"transaction_id": transaction_id, "id_tag": id_tag}

    return await with_station(url, station_id, password, story)


async def refused(url, station_id, password):
    try:
        async with connect(url, station_id, password):
            raise AssertionError("let in")
    except websockets.exceptions.InvalidStatus as error:
        assert error.response.status_code == 401, error.response.status_code
        return {"status": error.response.status_code}


async def malformed(url, station_id, password):
    async with connect(url, station_id, password) as connection:
        async def answer_to(text):
            await connection.send(text)
            return json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))

        errors = [
            await answer_to('[2,"1","BootNotification",{"chargePointVendor":'),
            await answer_to('[2,"2","BootNotification",{"chargePointVendor":"x"}]'),
            await answer_to('[2,"3","Dance",{}]'),
        ]
        boot = {"chargePointVendor": "Python", "chargePointModel": "raw"}
        accepted = await answer_to(json.dumps([2, "4", "BootNotification", boot]))
        assert accepted[0] == 3 and accepted[2]["status"] == "Accepted", accepted
        return {"errors": errors}


def main():
    logging.disable(logging.CRITICAL)
    story, *arguments = sys.argv[1:]
    stories = {"charge": charge, "remote": remote, "refused": refused, "malformed": malformed}
    print(json.dumps(asyncio.run(stories[story](*arguments))))


if __name__ == "__main__":
    main()
