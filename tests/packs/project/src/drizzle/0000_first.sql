create table drizzled (n integer); insert into drizzled values (5);
