from migsafe.schema.default_names import default_name


def test_longer_part_is_shortened_first() -> None:
    assert default_name("orders", ["customer_id"], "fkey") == "orders_customer_id_fkey"
    assert default_name("t" * 60, ["customer_id"], "fkey") == "t" * 46 + "_customer_id_fkey"
    assert default_name("orders", ["c" * 40, "d" * 40], "idx") == "orders_" + "c" * 40 + "_" + "d" * 11 + "_idx"


def test_length_is_measured_in_bytes() -> None:
    assert len(default_name("注文" * 20, ["顧客"], "fkey").encode()) <= 63
