"""A small plant for the scan tests: GS1 numbers of the prefix for examples, two items with one lot number."""

from __future__ import annotations

from edge_agent.planbook import PlanBook
from sync.contract import (
    DispatchStatus,
    HandlingUnit,
    JobOrder,
    MaterialDefinition,
    MaterialLot,
    Person,
    Reason,
    Revision,
    StorageUnit,
    WorkType,
)

BEARING_GTIN = "09501101530003"
CHEESE_GTIN = "09501101531000"
PALLET_SSCC = "395011015300000011"

BOOK = PlanBook.of(
    [
        Person(id="P7", name="Ana Ruiz", badge="4711"),
        MaterialDefinition(id="B-6204", description="Bearing", gtin=BEARING_GTIN, lot_tracked=True),
        MaterialDefinition(id="CHEESE", description="Cheese", uom="kg", gtin=CHEESE_GTIN),
        MaterialDefinition(id="SEAL-9", description="Seal", lot_tracked=True),
        MaterialLot(id="B-6204/L75", material="B-6204"),
        MaterialLot(id="SEAL-9/L75", material="SEAL-9"),
        MaterialLot(id="B-6204/L77", material="B-6204"),
        MaterialLot(id="B-6204/LOT1", material="B-6204"),
        StorageUnit(id="A-03-2", zone="A"),
        StorageUnit(id="A-03-4", zone="A"),
        StorageUnit(id="B-02-1", zone="B"),
        StorageUnit(id="4006381333931", zone="B"),
        HandlingUnit(id="TOTE-1"),
        HandlingUnit(id="TOTE-2"),
        HandlingUnit(id=PALLET_SSCC),
        Reason(id="burr", purpose="scrap", number=1, text="Burr"),
        JobOrder(
            id="J-100",
            work_type=WorkType.PRODUCTION,
            description="Shaft",
            dispatch_status=DispatchStatus.RELEASED,
            revisions=(Revision("drawing", "DRW-1001", "C"),),
        ),
    ]
)
